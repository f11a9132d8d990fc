// What Honcho's MCP server asks of a server, tool by tool (HC 7.4): it is not on npm,
// so each tool's row is replayed through the SDK and through the tool's raw requests.

import assert from "node:assert/strict";
import { newer, plain, settled, until, walked } from "./steps.mjs";

const ids = (items) => items.map(({ id }) => id);

/** A conversation to work on. */
async function told(honcho) {
  const [alice, bot] = [await honcho.peer("alice"), await honcho.peer("bot")];
  const session = await honcho.session("s", {
    peers: [alice, bot],
    metadata: { topic: "trains" },
  });
  const said = await session.addMessages([
    alice.message("I love steam trains."),
    bot.message("Which one most?"),
  ]);
  await settled(honcho);
  return { alice, bot, session, said };
}

newer("health is asked before anything", async ({ url }) => {
  const response = await fetch(`${url}/health`);
  assert.equal(response.status, 200);
  assert.deepEqual(await response.json(), { status: "ok" });
});

newer("list_workspaces", async ({ honcho, workspace }) => {
  await honcho.getMetadata();
  const keys = ["items", "page", "pages", "size", "total"];
  const all = async () => {
    const seen = [];
    for (let page = 1, pages = 1; page <= pages; page += 1) {
      const query = { page, size: 20 };
      const answer = await honcho.http.post("/v3/workspaces/list", { body: {}, query });
      assert.deepEqual(Object.keys(answer).toSorted(), keys);
      assert.deepEqual([answer.page, answer.size], [page, 20]);
      pages = answer.pages;
      seen.push(...ids(answer.items));
    }
    return seen;
  };
  // Others come and go meanwhile, and pages move with them.
  await until(all, (seen) => seen.includes(workspace));
});

newer("create_workspace", async ({ honcho, workspace, wire }) => {
  const body = { id: `${workspace}-new`, metadata: { made: "by a tool" } };
  const made = await honcho.http.post("/v3/workspaces", { body });
  assert.equal(wire.at(-1).status, 201);
  assert.equal(made.id, body.id);
  assert.deepEqual(made.metadata, body.metadata);
  const again = await honcho.http.post("/v3/workspaces", {
    body: { ...body, metadata: {} },
  });
  assert.equal(wire.at(-1).status, 200);
  assert.deepEqual(again.metadata, body.metadata);
});

newer("inspect_workspace", async ({ honcho }) => {
  await told(honcho);
  await honcho.setMetadata({ plan: "pro" });
  await honcho.setConfiguration({ reasoning: { enabled: true } });
  assert.deepEqual(await honcho.getMetadata(), { plan: "pro" });
  assert.deepEqual(plain(await honcho.getConfiguration()), {
    reasoning: { enabled: true },
  });
  assert.deepEqual(ids(await walked(await honcho.peers())), ["alice", "bot"]);
  assert.deepEqual(ids(await walked(await honcho.sessions())), ["s"]);
});

newer("search", async ({ honcho }) => {
  const { alice, session, said } = await told(honcho);
  for (const place of [honcho, alice, session]) {
    assert.equal((await place.search("steam trains", { limit: 5 }))[0].id, said[0].id);
  }
});

newer("get_metadata and set_metadata", async ({ honcho }) => {
  const { alice, session } = await told(honcho);
  for (const place of [honcho, alice, session]) {
    await place.setMetadata({ set: ["by", "a", "tool"] });
    assert.deepEqual(await place.getMetadata(), { set: ["by", "a", "tool"] });
  }
});

newer("create_peer and list_peers", async ({ honcho }) => {
  await honcho.peer("alice", {
    metadata: { role: "user" },
    configuration: { observeMe: true },
  });
  const [alice] = (await honcho.peers()).items;
  assert.equal(alice.id, "alice");
  assert.deepEqual(alice.metadata, { role: "user" });
});

newer("chat", async ({ honcho }) => {
  const { alice, bot, session } = await told(honcho);
  assert.match(await alice.chat("What does Alice love?"), /steam trains/);
  const options = { target: alice, session, reasoningLevel: "medium" };
  const answer = await bot.chat("What does Alice love?", options);
  assert.ok(answer === null || typeof answer === "string");
});

newer("get_peer_card and set_peer_card", async ({ honcho }) => {
  const { alice, bot } = await told(honcho);
  assert.equal(await alice.getCard(), null);
  assert.deepEqual(await alice.setCard(["Loves trains"]), ["Loves trains"]);
  assert.deepEqual(await alice.getCard(), ["Loves trains"]);
  assert.deepEqual(await bot.setCard(["A traveller"], alice), ["A traveller"]);
  assert.deepEqual(await bot.getCard("alice"), ["A traveller"]);
});

newer("get_peer_context", async ({ honcho }) => {
  const { alice } = await told(honcho);
  const context = await alice.context({ searchQuery: "trains", maxConclusions: 10 });
  assert.match(context.representation, /steam trains/);
  assert.equal(context.peerCard, null);
});

newer("get_representation", async ({ honcho }) => {
  const { alice, session } = await told(honcho);
  assert.match(await alice.representation(), /steam trains/);
  assert.match(
    await alice.representation({ session, searchQuery: "trains" }),
    /steam trains/,
  );
});

newer("create_session and list_sessions", async ({ honcho }) => {
  const configuration = { summary: { enabled: false } };
  await honcho.session("s", { metadata: { a: 1 }, configuration });
  const [session] = (await honcho.sessions()).items;
  assert.equal(session.id, "s");
  assert.deepEqual(session.metadata, { a: 1 });
  assert.deepEqual(plain(session.configuration), configuration);
  assert.equal(session.isActive, true);
});

newer("delete_session", async ({ sdk, honcho }) => {
  const { session } = await told(honcho);
  await session.delete();
  await assert.rejects(session.delete(), sdk.NotFoundError);
});

newer("clone_session", async ({ honcho }) => {
  const { session, said } = await told(honcho);
  assert.equal((await (await session.clone()).messages()).total, 2);
  assert.equal((await (await session.clone(said[0].id)).messages()).total, 1);
});

newer(
  "add_peers_to_session, get_session_peers and remove_peers_from_session",
  async ({ honcho }) => {
    const session = await honcho.session("s");
    await session.addPeers([
      "alice",
      ["bot", { observeMe: false, observeOthers: true }],
    ]);
    assert.deepEqual(ids(await session.peers()), ["alice", "bot"]);
    await session.removePeers(["bot"]);
    assert.deepEqual(ids(await session.peers()), ["alice"]);
  },
);

newer("inspect_session", async ({ honcho }) => {
  const { session } = await told(honcho);
  assert.deepEqual(await session.getMetadata(), { topic: "trains" });
  assert.deepEqual(plain(await session.getConfiguration()), {});
  assert.deepEqual(ids(await session.peers()), ["alice", "bot"]);
  const { shortSummary, longSummary } = await session.summaries();
  assert.deepEqual([shortSummary, longSummary], [null, null]);
  assert.equal((await session.messages()).total, 2);
});

newer(
  "add_messages_to_session, get_session_messages and get_session_message",
  async ({ honcho }) => {
    const [session, alice] = [await honcho.session("s"), await honcho.peer("alice")];
    const said = await session.addMessages([
      alice.message("hello", { metadata: { n: 1 } }),
    ]);
    assert.deepEqual((await session.messages()).items, said);
    const filters = { peer_id: "alice" };
    assert.deepEqual(
      (await session.messages({ filters, page: 1, size: 10 })).items,
      said,
    );
    assert.deepEqual(await session.getMessage(said[0].id), said[0]);
  },
);

newer("get_session_context", async ({ honcho }) => {
  const { alice, session } = await told(honcho);
  const context = await session.context({
    summary: true,
    tokens: 500,
    peerTarget: alice,
  });
  assert.equal(context.messages.length, 2);
  assert.match(context.peerRepresentation, /steam trains/);
});

newer(
  "list_conclusions, query_conclusions and create_conclusions",
  async ({ honcho }) => {
    const { alice, bot, session } = await told(honcho);
    const made = await bot
      .conclusionsOf(alice)
      .create([
        { content: "travels by train" },
        { content: "is awake", sessionId: session.id },
      ]);
    assert.deepEqual(
      made.map(({ sessionId }) => sessionId),
      [null, "s"],
    );
    const listed = await bot.conclusionsOf("alice").list({ page: 1, size: 10 });
    for (const { id } of made) assert.ok(ids(listed.items).includes(id));
    const [nearest] = await bot.conclusionsOf("alice").query("rides a train", 5);
    assert.equal(nearest.content, "travels by train");
  },
);

newer("delete_conclusion", async ({ sdk, honcho }) => {
  const { alice } = await told(honcho);
  const [made] = await alice.conclusions.create({ content: "travels by train" });
  await alice.conclusions.delete(made.id);
  await assert.rejects(alice.conclusions.get(made.id), sdk.NotFoundError);
});

newer("schedule_dream and get_queue_status", async ({ honcho }) => {
  const { alice, session } = await told(honcho);
  await honcho.scheduleDream({ observer: alice, session });
  await honcho.scheduleDream({ observer: "alice", observed: "alice" });
  const status = await honcho.queueStatus({ observer: alice });
  assert.ok(status.totalWorkUnits >= 1);
  assert.equal((await session.queueStatus()).totalWorkUnits >= 1, true);
});
