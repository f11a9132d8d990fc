// Peers: themselves, their sessions, cards, representation and context.

import assert from "node:assert/strict";
import { newer, plain, settled, step, walked } from "./steps.mjs";

step("a peer is made with what it is given", async ({ honcho, connect }) => {
  const given = { metadata: { role: "pupil" }, configuration: { observeMe: false } };
  const alice = await honcho.peer("alice", given);
  assert.deepEqual(alice.metadata, given.metadata);
  assert.deepEqual(plain(alice.configuration), given.configuration);
  const again = await connect().peer("alice");
  assert.deepEqual(await again.getMetadata(), given.metadata);
  assert.deepEqual(plain(await again.getConfiguration()), given.configuration);
});

step("metadata and configuration of a peer are replaced", async ({ honcho, wire }) => {
  const alice = await honcho.peer("alice", { metadata: { a: 1 } });
  await alice.setMetadata({ b: 2 });
  assert.deepEqual(await alice.getMetadata(), { b: 2 });
  await alice.setConfiguration({ observeMe: true });
  await alice.setConfiguration({ observeMe: null });
  assert.equal(wire.at(-1).status, 200);
  assert.deepEqual(plain(await alice.getConfiguration()), { observeMe: null });
  await alice.refresh();
  assert.deepEqual(alice.metadata, { b: 2 });
});

newer("a peer knows when it was made", async ({ honcho }) => {
  const alice = await honcho.peer("alice", { metadata: {} });
  assert.match(alice.createdAt, /^\d{4}-\d\d-\d\dT.*Z$/);
});

step("peers are listed and filtered", async ({ honcho, wire }) => {
  for (const id of ["a", "b", "c"])
    await honcho.peer(id, { metadata: { odd: id !== "b" } });
  const ids = async (page) => (await walked(page)).map(({ id }) => id);
  assert.deepEqual(await ids(await honcho.peers()), ["a", "b", "c"]);
  assert.deepEqual(wire.at(-1).body, {});
  const odd = await honcho.peers({ metadata: { odd: true } });
  assert.deepEqual(await ids(odd), ["a", "c"]);
});

newer("peers are listed page after page", async ({ honcho, wire }) => {
  for (const id of ["a", "b", "c"]) await honcho.peer(id, { metadata: {} });
  const page = await honcho.peers({ size: 1, reverse: true });
  assert.ok(page.hasNextPage);
  assert.deepEqual(
    (await walked(page)).map(({ id }) => id),
    ["c", "b", "a"],
  );
  assert.equal(wire.at(-1).query, "page=3&size=1&reverse=true");
  const second = await (await honcho.peers({ size: 2 })).getNextPage();
  assert.deepEqual(
    second.items.map(({ id }) => id),
    ["c"],
  );
  assert.equal(await second.getNextPage(), null);
  assert.equal((await honcho.peers({ page: 9, size: 2 })).length, 0);
});

step("sessions of a peer are listed", async ({ honcho, wire }) => {
  const alice = await honcho.peer("alice");
  for (const id of ["s1", "s2", "s3"]) {
    await (await honcho.session(id, { metadata: { id } })).addPeers(alice);
  }
  await honcho.session("elsewhere", { metadata: {} });
  const all = await walked(await alice.sessions());
  assert.deepEqual(
    all.map(({ id }) => id),
    ["s1", "s2", "s3"],
  );
  assert.deepEqual(wire.at(-1).body, {});
  const some = await walked(await alice.sessions({ metadata: { id: "s2" } }));
  assert.deepEqual(
    some.map(({ id }) => id),
    ["s2"],
  );
});

newer("sessions of a peer are listed page after page", async ({ honcho }) => {
  const alice = await honcho.peer("alice");
  for (const id of ["s1", "s2", "s3"]) await honcho.session(id, { peers: alice });
  const page = await alice.sessions({ size: 2, reverse: true });
  assert.deepEqual(
    (await walked(page)).map(({ id }) => id),
    ["s3", "s2", "s1"],
  );
});

step("what a peer said is searched", async ({ honcho, wire }) => {
  const [alice, bob] = [await honcho.peer("alice"), await honcho.peer("bob")];
  const session = await honcho.session("s");
  await session.addMessages([
    alice.message("My chess club meets on Monday."),
    bob.message("Chess bores me."),
  ]);
  const found = await alice.search("chess");
  assert.deepEqual(wire.at(-1).body, { query: "chess" });
  assert.deepEqual(
    found.map(({ peerId }) => peerId),
    ["alice"],
  );
  const none = await alice.search("chess", {
    limit: 5,
    filters: { session_id: "other" },
  });
  assert.deepEqual(none, []);
});

step("cards are set and got", async ({ honcho }) => {
  const [alice, bob] = [await honcho.peer("alice"), await honcho.peer("bob")];
  for (const each of [alice, bob]) await each.getMetadata();
  assert.equal(await alice.getCard(), null);
  assert.deepEqual(await alice.setCard(["Name: Alice"]), ["Name: Alice"]);
  assert.deepEqual(await alice.card(), ["Name: Alice"]);
  assert.equal(await alice.getCard(bob), null);
  assert.deepEqual(await alice.setCard(["Likes chess"], bob), ["Likes chess"]);
  assert.deepEqual(await alice.getCard("bob"), ["Likes chess"]);
  assert.deepEqual(await alice.getCard(), ["Name: Alice"]);
});

step("a representation and its options", async ({ honcho, wire }) => {
  const [alice, bob] = [await honcho.peer("alice"), await honcho.peer("bob")];
  const session = await honcho.session("s");
  await session.addPeers([alice, [bob, { observeOthers: true }]]);
  await session.addMessages([
    alice.message("I love steam trains."),
    alice.message("I live in Rome."),
  ]);
  await settled(honcho);
  assert.match(await alice.representation(), /steam trains/);
  assert.deepEqual(wire.at(-1).body, {});
  assert.match(await bob.representation({ target: alice, session }), /steam trains/);
  assert.equal(await bob.representation(), "");
  const searched = { searchQuery: "trains", searchTopK: 1, searchMaxDistance: 0.9 };
  const narrowed = { ...searched, includeMostFrequent: false, maxConclusions: 1 };
  assert.match(await alice.representation(narrowed), /trains/);
  assert.match(await session.representation(alice, narrowed), /trains/);
  assert.match(await session.representation("bob", { target: "alice" }), /Rome/);
  assert.equal(wire.at(-1).body.session_id, "s");
});

newer("a representation of named sessions", async ({ honcho, wire }) => {
  const alice = await honcho.peer("alice");
  const [first, second] = [await honcho.session("s1"), await honcho.session("s2")];
  const [said] = await first.addMessages(alice.message("I love steam trains."));
  await second.addMessages(alice.message("I live in Rome."));
  await settled(honcho);
  const only = await alice.representation({ sessions: [first, "unknown"] });
  assert.deepEqual(wire.at(-1).body.filters, { session_id: ["s1", "unknown"] });
  assert.match(only, /trains/);
  assert.doesNotMatch(only, /Rome/);
  assert.match(await alice.representation({ searchQuery: said }), /trains/);
});

step("the context of a peer", async ({ honcho }) => {
  const [alice, bob] = [await honcho.peer("alice"), await honcho.peer("bob")];
  const session = await honcho.session("s");
  await session.addPeers([alice, [bob, { observeOthers: true }]]);
  await session.addMessages(alice.message("I love steam trains."));
  await settled(honcho);
  await alice.setCard(["Name: Alice"]);
  const own = await alice.context();
  assert.equal(own.peerId, "alice");
  assert.equal(own.targetId, "alice");
  assert.match(own.representation, /steam trains/);
  assert.deepEqual(own.peerCard, ["Name: Alice"]);
  const seen = await bob.context({
    target: alice,
    searchQuery: "trains",
    searchTopK: 3,
    searchMaxDistance: 0.9,
    includeMostFrequent: true,
    maxConclusions: 5,
  });
  assert.equal(seen.targetId, "alice");
  assert.match(seen.representation, /steam trains/);
  assert.equal(seen.peerCard, null);
});
