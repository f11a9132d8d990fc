// Sessions: themselves, their members, clones, context, summaries and end.

import assert from "node:assert/strict";
import { newer, plain, settled, step, until, walked } from "./steps.mjs";

const ids = (items) => items.map(({ id }) => id);

step("a session is made with what it is given", async ({ honcho, connect }) => {
  const given = {
    metadata: { topic: "math" },
    configuration: {
      summary: { messagesPerShortSummary: 10, enabled: null },
      reasoning: null,
    },
  };
  const session = await honcho.session("s", given);
  assert.deepEqual(session.metadata, given.metadata);
  const again = await connect().session("s");
  assert.deepEqual(await again.getMetadata(), given.metadata);
  assert.deepEqual(plain(await again.getConfiguration()), {
    summary: { messagesPerShortSummary: 10 },
  });
});

newer("a session is made with peers and is active", async ({ honcho, wire }) => {
  const alice = await honcho.peer("alice");
  const session = await honcho.session("s", {
    peers: [alice, ["bob", { observeMe: null, observeOthers: true }]],
  });
  assert.deepEqual(plain(wire.at(-1).body.peers), {
    alice: {},
    bob: { observe_me: null, observe_others: true },
  });
  assert.equal(session.isActive, true);
  assert.match(session.createdAt, /Z$/);
  assert.deepEqual(ids(await session.peers()), ["alice", "bob"]);
});

step("metadata of a session is replaced", async ({ honcho }) => {
  const session = await honcho.session("s", { metadata: { a: 1 } });
  await session.setMetadata({ b: 2 });
  assert.deepEqual(await session.getMetadata(), { b: 2 });
  await session.setMetadata({});
  await session.refresh();
  assert.deepEqual(session.metadata, {});
});

step("configuration of a session takes nulls within sections", async ({ honcho }) => {
  const session = await honcho.session("s");
  await session.setConfiguration({
    reasoning: { enabled: false, customInstructions: "Be brief." },
  });
  await session.setConfiguration({
    summary: { enabled: null },
    dream: { enabled: false },
  });
  assert.deepEqual(plain(await session.getConfiguration()), {
    reasoning: { enabled: false, customInstructions: "Be brief." },
    summary: {},
    dream: { enabled: false },
  });
});

step("sessions are listed and filtered", async ({ honcho, wire }) => {
  for (const id of ["s1", "s2", "s3"]) await honcho.session(id, { metadata: { id } });
  assert.deepEqual(ids(await walked(await honcho.sessions())), ["s1", "s2", "s3"]);
  assert.deepEqual(wire.at(-1).body, {});
  const some = await honcho.sessions({ metadata: { id: "s2" } });
  assert.deepEqual(ids(await walked(some)), ["s2"]);
});

newer("sessions are listed page after page", async ({ honcho }) => {
  for (const id of ["s1", "s2", "s3"]) await honcho.session(id);
  const page = await honcho.sessions({ size: 1, reverse: true });
  assert.equal(page.pages, 3);
  assert.deepEqual(ids(await walked(page)), ["s3", "s2", "s1"]);
});

step(
  "peers are added, set and removed, with null members",
  async ({ honcho, wire }) => {
    const [session, alice] = [await honcho.session("s"), await honcho.peer("alice")];
    await session.addPeers("alice");
    await session.addPeers([
      alice,
      "bob",
      ["carol", { observeMe: null, observeOthers: null }],
    ]);
    assert.deepEqual(wire.at(-1).body.carol, {
      observe_me: null,
      observe_others: null,
    });
    assert.deepEqual(ids(await session.peers()), ["alice", "bob", "carol"]);
    await session.setPeers([["bob", { observeMe: null, observeOthers: true }], "dave"]);
    assert.deepEqual(ids(await session.peers()), ["bob", "dave"]);
    await session.removePeers(["bob"]);
    await session.removePeers("dave");
    assert.deepEqual(wire.at(-1).body, ["dave"]);
    assert.deepEqual(await session.peers(), []);
  },
);

step("what a session asks of a peer is set and got", async ({ honcho, wire }) => {
  const session = await honcho.session("s");
  await session.addPeers([["alice", { observeMe: false }]]);
  const now = async () => plain(await session.getPeerConfiguration("alice"));
  assert.deepEqual(await now(), { observeMe: false, observeOthers: null });
  await session.setPeerConfiguration("alice", { observeMe: null, observeOthers: true });
  assert.equal(wire.at(-1).status, 204);
  assert.deepEqual(await now(), { observeMe: false, observeOthers: true });
});

step("a session is cloned whole and up to a message", async ({ honcho }) => {
  const [session, alice] = [
    await honcho.session("s", { metadata: { a: 1 } }),
    await honcho.peer("alice"),
  ];
  const said = await session.addMessages(
    ["one", "two", "three"].map((text) => alice.message(text)),
  );
  const contents = async (each) =>
    (await walked(await each.messages())).map(({ content }) => content);
  const whole = await session.clone();
  assert.notEqual(whole.id, "s");
  assert.deepEqual(whole.metadata, { a: 1 });
  assert.deepEqual(await contents(whole), ["one", "two", "three"]);
  const part = await session.clone(said[1].id);
  assert.deepEqual(await contents(part), ["one", "two"]);
  assert.deepEqual(ids(await part.peers()), ["alice"]);
});

step(
  "a context becomes messages of OpenAI and of Anthropic",
  async ({ honcho, wire }) => {
    const [alice, tutor] = [await honcho.peer("alice"), await honcho.peer("tutor")];
    const session = await honcho.session("s");
    await session.addMessages([
      alice.message("I love steam trains."),
      tutor.message("So do I."),
    ]);
    await settled(honcho);
    await alice.setCard(["Name: Alice"]);
    const bare = await session.context();
    assert.equal(wire.at(-1).query, "");
    assert.equal(bare.peerRepresentation, null);
    assert.equal(bare.length, 2);
    const context = await session.context({
      summary: false,
      tokens: 1000,
      peerTarget: alice,
    });
    assert.equal(wire.at(-1).query, "tokens=1000&summary=false&peer_target=alice");
    const openai = context.toOpenAI(tutor);
    assert.deepEqual(
      openai.map(({ role }) => role),
      ["system", "system", "user", "assistant"],
    );
    assert.match(openai[0].content, /<peer_representation>[^]*steam trains/);
    assert.equal(openai[1].content, "<peer_card>Name: Alice</peer_card>");
    const anthropic = context.toAnthropic("tutor");
    assert.deepEqual(
      anthropic.map(({ role }) => role),
      ["user", "user", "user", "assistant"],
    );
    assert.equal(anthropic[2].content, "alice: I love steam trains.");
  },
);

step(
  "a context is about what was asked, in this session only",
  async ({ honcho, wire }) => {
    const alice = await honcho.peer("alice");
    const [first, second] = [await honcho.session("s1"), await honcho.session("s2")];
    await first.addMessages(alice.message("I love steam trains."));
    await second.addMessages(alice.message("I live in Rome."));
    await settled(honcho);
    await alice.setCard(["Name: Alice"]);
    const context = await first.context({
      peerTarget: alice,
      limitToSession: true,
      representationOptions: {
        searchQuery: "trains",
        searchTopK: 5,
        searchMaxDistance: 0.9,
        includeMostFrequent: true,
        maxConclusions: 5,
      },
    });
    assert.match(wire.at(-1).query, /limit_to_session=true/);
    assert.match(context.peerRepresentation, /steam trains/);
    assert.doesNotMatch(context.peerRepresentation, /Rome/);
    assert.equal(context.peerCard, null);
  },
);

step("a context has a perspective", async ({ honcho }) => {
  const session = await honcho.session("s");
  await session.addPeers(["alice", ["bob", { observeOthers: true }]]);
  const alice = await honcho.peer("alice");
  await session.addMessages(alice.message("I love steam trains."));
  await settled(honcho);
  const seen = await session.context({ peerTarget: "alice", peerPerspective: "bob" });
  assert.match(seen.peerRepresentation, /steam trains/);
});

newer("a context is confined to named sessions", async ({ honcho, wire }) => {
  const alice = await honcho.peer("alice");
  const [first, second] = [await honcho.session("s1"), await honcho.session("s2")];
  await first.addMessages(alice.message("I love steam trains."));
  await second.addMessages(alice.message("I live in Rome."));
  await settled(honcho);
  const context = await first.context({ peerTarget: alice, sessions: [first, "s9"] });
  assert.match(wire.at(-1).query, /sessions=s1&sessions=s9/);
  assert.match(context.peerRepresentation, /trains/);
  assert.doesNotMatch(context.peerRepresentation, /Rome/);
});

step("summaries are read whole and within a context", async ({ honcho }) => {
  const session = await honcho.session("s");
  const none = await session.summaries();
  assert.equal(none.shortSummary, null);
  assert.equal(none.longSummary, null);
  await session.setConfiguration({ summary: { messagesPerShortSummary: 10 } });
  const alice = await honcho.peer("alice");
  const texts = Array.from({ length: 12 }, (_, n) => `I saw steam train number ${n}.`);
  const said = await session.addMessages(texts.map((text) => alice.message(text)));
  const { id, shortSummary } = await until(
    () => session.summaries(),
    (summaries) => summaries.shortSummary,
  );
  assert.equal(id, "s");
  assert.equal(shortSummary.summaryType, "honcho_chat_summary_short");
  assert.equal(shortSummary.messageId, said[9].id);
  assert.match(shortSummary.createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  assert.ok(shortSummary.tokenCount > 0);
  const context = await session.context({ summary: true });
  assert.equal(context.summary.content, shortSummary.content);
  assert.ok(context.toOpenAI("bot")[0].content.startsWith("<summary>"));
});

step("a session is searched", async ({ honcho, wire }) => {
  const [session, other] = [await honcho.session("s"), await honcho.session("other")];
  const alice = await honcho.peer("alice");
  await session.addMessages([
    alice.message("Steam trains."),
    alice.message("Steam trains again."),
  ]);
  await other.addMessages(alice.message("Steam trains elsewhere."));
  const found = await session.search("steam trains");
  assert.deepEqual(wire.at(-1).body, { query: "steam trains" });
  assert.deepEqual(new Set(found.map(({ sessionId }) => sessionId)), new Set(["s"]));
  assert.equal(found.length, 2);
  const one = await session.search("trains", {
    limit: 1,
    filters: { peer_id: "alice" },
  });
  assert.equal(one.length, 1);
});

step("a session is deleted", async ({ sdk, honcho, wire }) => {
  const session = await honcho.session("s");
  await session.addMessages((await honcho.peer("alice")).message("hello"));
  assert.equal(await session.delete(), undefined);
  assert.equal(wire.at(-1).status, 202);
  await assert.rejects(session.delete(), sdk.NotFoundError);
  assert.deepEqual(ids(await walked(await honcho.sessions({ is_active: true }))), []);
});
