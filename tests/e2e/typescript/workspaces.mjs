// The client itself: its workspace, its lists, search, queue status and dreams.

import assert from "node:assert/strict";
import { newer, plain, settled, step, until, walked } from "./steps.mjs";

step("the workspace is made once and lazily", async ({ honcho, wire, workspace }) => {
  assert.equal(wire.length, 0);
  await honcho.peers();
  await honcho.sessions();
  const made = wire.filter(({ path }) => path === "/v3/workspaces");
  assert.deepEqual(
    made.map(({ body }) => body),
    [{ id: workspace }],
  );
  assert.equal(made[0].headers["Content-Type"], "application/json");
});

newer("every request names its host", async ({ honcho, wire }) => {
  await honcho.peers();
  for (const { headers } of wire) {
    assert.match(headers["X-Honcho-Host"], /^honcho-typescript\/2\.5\.0 /);
  }
});

step("a prefix of the base URL is dropped", async ({ connect, url }) => {
  assert.deepEqual(await connect({ baseURL: `${url}/prefix` }).getMetadata(), {});
});

step("queries by default are ignored", async ({ connect }) => {
  const client = connect({
    defaultQuery: { tenant: "x" },
    defaultHeaders: { "X-A": "b" },
  });
  assert.deepEqual(await walked(await client.peers()), []);
});

step("metadata of a workspace is set and got", async ({ honcho, connect }) => {
  assert.deepEqual(await honcho.getMetadata(), {});
  await honcho.setMetadata({ plan: "pro", nested: { deep: [1, null] } });
  assert.deepEqual(await connect().getMetadata(), {
    plan: "pro",
    nested: { deep: [1, null] },
  });
  await honcho.refresh();
  assert.equal(honcho.metadata.plan, "pro");
});

step(
  "configuration of a workspace takes nulls within sections",
  async ({ honcho, connect }) => {
    await honcho.setConfiguration({
      reasoning: { enabled: null, customInstructions: null },
      peerCard: { use: false, create: null },
      summary: {
        enabled: true,
        messagesPerShortSummary: 15,
        messagesPerLongSummary: null,
      },
      dream: null,
    });
    assert.deepEqual(plain(await connect().getConfiguration()), {
      reasoning: {},
      peerCard: { use: false },
      summary: { enabled: true, messagesPerShortSummary: 15 },
    });
  },
);

step("configuration of a workspace merges by section", async ({ honcho }) => {
  await honcho.setConfiguration({
    reasoning: { enabled: false },
    summary: { enabled: true },
  });
  await honcho.setConfiguration({ summary: { messagesPerShortSummary: 12 } });
  assert.deepEqual(plain(await honcho.getConfiguration()), {
    reasoning: { enabled: false },
    summary: { messagesPerShortSummary: 12 },
  });
});

step(
  "workspaces are listed with an empty object",
  async ({ honcho, wire, workspace }) => {
    await honcho.getMetadata();
    const page = await honcho.workspaces();
    assert.deepEqual(wire.at(-1).body, {});
    assert.equal(wire.at(-1).query, "");
    assert.equal(page.page, 1);
    assert.equal(page.size, 50);
    const all = async () => walked(await honcho.workspaces());
    await until(all, (found) => found.includes(workspace));
  },
);

newer(
  "workspaces are listed page after page",
  async ({ sdk, url, honcho, wire, workspace }) => {
    const ids = [1, 2, 3, 4, 5].map((number) => `${workspace}-${number}`);
    for (const id of ids) {
      await new sdk.Honcho({ baseURL: url, workspaceId: id }).setMetadata({
        mark: workspace,
      });
    }
    const filters = { metadata: { mark: workspace } };
    const page = await honcho.workspaces({ filters, size: 2 });
    assert.equal(page.total, 5);
    assert.equal(page.pages, 3);
    assert.deepEqual(await walked(page), ids);
    assert.equal(wire.at(-1).query, "page=3&size=2");
    const back = await honcho.workspaces({ filters, size: 2, reverse: true });
    assert.deepEqual(await walked(back), ids.toReversed());
  },
);

step("a workspace is deleted", async ({ sdk, honcho, workspace, wire }) => {
  await honcho.setMetadata({ mark: workspace });
  assert.equal(await honcho.deleteWorkspace(workspace), undefined);
  assert.equal(wire.at(-1).status, 202);
  await assert.rejects(honcho.deleteWorkspace(`${workspace}-not`), sdk.NotFoundError);
});

step("a workspace is searched", async ({ honcho, wire }) => {
  const alice = await honcho.peer("alice");
  const [first, second] = [await honcho.session("s1"), await honcho.session("s2")];
  await first.addMessages(alice.message("I love steam trains."));
  await second.addMessages(
    alice.message("Steam trains are loud.", { metadata: { loud: true } }),
  );
  const found = await honcho.search("steam trains");
  assert.deepEqual(wire.at(-1).body, { query: "steam trains" });
  assert.deepEqual(found.map(({ sessionId }) => sessionId).toSorted(), ["s1", "s2"]);
  assert.equal((await honcho.search("steam trains", { limit: 1 })).length, 1);
  const loud = await honcho.search("steam trains", {
    filters: { metadata: { loud: true } },
  });
  assert.deepEqual(
    loud.map(({ content }) => content),
    ["Steam trains are loud."],
  );
});

step("the queue tells what is done, for whom and where", async ({ honcho }) => {
  const alice = await honcho.peer("alice");
  const session = await honcho.session("s");
  await session.addMessages([
    alice.message("I like tea."),
    alice.message("I live in Rome."),
  ]);
  const status = await settled(honcho);
  assert.equal(status.totalWorkUnits, 2);
  assert.equal(status.completedWorkUnits, 2);
  const [only] = Object.values(status.sessions);
  assert.equal(only.completedWorkUnits, 2);
  const narrowed = await honcho.queueStatus({
    observer: alice,
    sender: alice,
    session,
  });
  assert.equal(narrowed.totalWorkUnits, 2);
  assert.ok(narrowed.sessions == null);
  assert.equal((await session.queueStatus({ sender: "alice" })).completedWorkUnits, 2);
  assert.equal((await session.queueStatus({ observer: "bob" })).totalWorkUnits, 0);
});

step("a dream is scheduled", async ({ honcho, wire }) => {
  const [alice, bob] = [await honcho.peer("alice"), await honcho.peer("bob")];
  const session = await honcho.session("s");
  await session.addMessages([
    alice.message("I like tea."),
    bob.message("I like chess."),
  ]);
  assert.equal(await honcho.scheduleDream({ observer: alice }), undefined);
  assert.deepEqual(plain(wire.at(-1).body), {
    observer: "alice",
    observed: "alice",
    dream_type: "omni",
  });
  assert.equal(wire.at(-1).status, 204);
  await honcho.scheduleDream({ observer: "alice", observed: bob, session });
  assert.equal(wire.at(-1).body.session_id, "s");
});
