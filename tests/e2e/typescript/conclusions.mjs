// Conclusions: recorded, listed, queried, got, traced and deleted.

import assert from "node:assert/strict";
import { newer, step, walked } from "./steps.mjs";

const contents = (items) => items.map(({ content }) => content);

async function peers(honcho) {
  const both = [await honcho.peer("alice"), await honcho.peer("bob")];
  for (const each of both) await each.getMetadata();
  return both;
}

step(
  "a conclusion is recorded with a session and without",
  async ({ honcho, wire }) => {
    const [alice] = await peers(honcho);
    const session = await honcho.session("s", { metadata: {} });
    const [bare] = await alice.conclusions.create({ content: "likes tea" });
    assert.deepEqual(wire.at(-1).body.conclusions, [
      {
        observer_id: "alice",
        observed_id: "alice",
        content: "likes tea",
        session_id: null,
      },
    ]);
    assert.equal(bare.sessionId, null);
    assert.equal(bare.observerId, "alice");
    const more = await alice.conclusions.create([
      { content: "is tired", sessionId: "s" },
      { content: "is late", sessionId: session },
    ]);
    assert.deepEqual(
      more.map(({ sessionId }) => sessionId),
      ["s", "s"],
    );
  },
);

step("conclusions are listed", async ({ honcho, wire }) => {
  const [alice, bob] = await peers(honcho);
  await honcho.session("s", { metadata: {} });
  await alice.conclusions.create([
    { content: "one" },
    { content: "two", sessionId: "s" },
  ]);
  await alice.conclusionsOf(bob).create({ content: "of bob" });
  const all = await alice.conclusions.list();
  assert.equal(wire.at(-1).query, "page=1&size=50");
  assert.deepEqual(wire.at(-1).body, {
    filters: { observer_id: "alice", observed_id: "alice" },
  });
  assert.deepEqual(contents(await walked(all)).toSorted(), ["one", "two"]);
  const within = await alice.conclusions.list({ session: "s" });
  assert.deepEqual(contents(within.items), ["two"]);
  const paged = await alice.conclusions.list({ page: 1, size: 1 });
  assert.deepEqual(contents(await walked(paged)).toSorted(), ["one", "two"]);
  assert.deepEqual(contents((await alice.conclusionsOf("bob").list()).items), [
    "of bob",
  ]);
});

step("conclusions are queried by meaning", async ({ honcho, wire }) => {
  const [alice] = await peers(honcho);
  await alice.conclusions.create([
    { content: "loves steam trains" },
    { content: "lives in Rome" },
  ]);
  const found = await alice.conclusions.query("locomotives and trains");
  assert.equal(wire.at(-1).body.top_k, 10);
  assert.equal(found[0].content, "loves steam trains");
  assert.deepEqual(contents(await alice.conclusions.query("trains", 1, 0.9)), [
    "loves steam trains",
  ]);
});

newer("conclusions are listed and queried with filters", async ({ honcho }) => {
  const [alice] = await peers(honcho);
  const session = await honcho.session("s", { metadata: {} });
  await alice.conclusions.create([
    { content: "one" },
    { content: "two", sessionId: "s" },
  ]);
  const filters = { level: "explicit" };
  const oldestFirst = await alice.conclusions.list({ filters, reverse: true });
  assert.deepEqual(contents(oldestFirst.items), ["one", "two"]);
  assert.deepEqual(contents((await alice.conclusions.list({ session })).items), [
    "two",
  ]);
  const found = await alice.conclusions.query("one or two", 5, undefined, {
    level: "deductive",
  });
  assert.deepEqual(found, []);
});

newer("conclusions are got one by one and together", async ({ sdk, honcho, wire }) => {
  const [alice, bob] = await peers(honcho);
  const [one, two] = await alice.conclusions.create([
    { content: "one" },
    { content: "two" },
  ]);
  const [other] = await bob.conclusions.create({ content: "of bob" });
  assert.deepEqual(await alice.conclusions.get(one.id), one);
  assert.match(wire.at(-1).path, new RegExp(`/conclusions/${one.id}$`));
  assert.equal(one.level, "explicit");
  assert.equal(one.timesDerived, 1);
  assert.deepEqual(one.sourceIds ?? [], []);
  await assert.rejects(alice.conclusions.get("nope"), sdk.NotFoundError);
  const some = await alice.conclusions.getMany([two.id, one.id, other.id, "nope"]);
  assert.deepEqual(contents(some).toSorted(), ["one", "two"]);
  const every = await honcho.conclusions.getMany([one.id, other.id]);
  assert.deepEqual(contents(every).toSorted(), ["of bob", "one"]);
  assert.equal((await honcho.conclusions.get(other.id)).observerId, "bob");
});

newer("conclusions of a workspace are listed", async ({ honcho }) => {
  const [alice, bob] = await peers(honcho);
  await alice.conclusions.create([{ content: "one" }, { content: "two" }]);
  await bob.conclusions.create({ content: "three" });
  const all = await honcho.conclusions.list({ size: 2 });
  assert.equal(all.total, 3);
  assert.equal((await walked(all)).length, 3);
  const his = await honcho.conclusions.list({
    filters: { observer_id: "bob" },
    reverse: true,
  });
  assert.deepEqual(contents(his.items), ["three"]);
});

newer("what was derived from a conclusion is asked for", async ({ honcho, wire }) => {
  const [alice] = await peers(honcho);
  const [one] = await alice.conclusions.create({ content: "one" });
  const derived = await alice.conclusions.derived(one.id, {
    page: 1,
    size: 5,
    reverse: true,
  });
  assert.deepEqual(wire.at(-1).body.filters.source_ids, { contains: one.id });
  assert.equal(derived.total, 0);
});

step("a conclusion is deleted", async ({ sdk, honcho, wire }) => {
  const [alice] = await peers(honcho);
  const [one] = await alice.conclusions.create({ content: "one" });
  assert.equal(await alice.conclusions.delete(one.id), undefined);
  assert.equal(wire.at(-1).status, 204);
  assert.equal((await alice.conclusions.list()).total, 0);
  await assert.rejects(alice.conclusions.delete(one.id), sdk.NotFoundError);
});

step("conclusions make a representation", async ({ honcho, wire }) => {
  const [alice, bob] = await peers(honcho);
  await alice
    .conclusionsOf(bob)
    .create([{ content: "likes tea" }, { content: "lives in Rome" }]);
  assert.match(await alice.conclusionsOf(bob).representation(), /likes tea/);
  assert.deepEqual(wire.at(-1).body, { target: "bob" });
  const options = {
    searchQuery: "tea",
    searchTopK: 1,
    searchMaxDistance: 0.9,
    maxConclusions: 1,
  };
  assert.match(await alice.conclusionsOf("bob").representation(options), /likes tea/);
});
