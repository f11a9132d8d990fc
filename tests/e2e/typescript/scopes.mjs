// Scopes: named sets of sessions.

import assert from "node:assert/strict";
import { newer, settled, until, walked } from "./steps.mjs";

const ids = (items) => items.map(({ id }) => id);

newer("a scope is made, got and listed", async ({ sdk, honcho, wire }) => {
  const trip = await honcho.scope("trip", { metadata: { to: "sea" } });
  assert.deepEqual(trip.metadata, { to: "sea" });
  assert.match(trip.createdAt, /Z$/);
  assert.deepEqual((await honcho.getScope("trip")).metadata, { to: "sea" });
  await assert.rejects(honcho.getScope("nope"), sdk.NotFoundError);
  await honcho.scope("work");
  assert.deepEqual(ids(await walked(await honcho.scopes())), ["trip", "work"]);
  assert.equal(wire.at(-1).body, undefined);
  assert.equal(wire.at(-1).headers["Content-Type"], "application/json");
  const back = await honcho.scopes({ page: 1, size: 1, reverse: true });
  assert.deepEqual(ids(await walked(back)), ["work", "trip"]);
  assert.deepEqual(ids((await honcho.peers()).items), []);
});

newer("sessions come into a scope and go", async ({ sdk, honcho, wire }) => {
  const [first, second] = [await honcho.session("s1"), await honcho.session("s2")];
  const alice = await honcho.peer("alice");
  for (const each of [first, second])
    await each.addMessages(alice.message("I love trains."));
  const trip = await honcho.scope("trip");
  assert.equal(await trip.addSessions([first, "s2"]), undefined);
  assert.equal(wire.at(-1).status, 204);
  assert.deepEqual(ids(await walked(await trip.sessions())), ["s1", "s2"]);
  assert.equal(wire.at(-1).body, undefined);
  assert.deepEqual(ids(await walked(await trip.sessions({ size: 1, reverse: true }))), [
    "s2",
    "s1",
  ]);
  const { backfillStatus } = await until(
    () => trip.status(),
    (status) =>
      Object.values(status.backfillStatus).every(({ state }) => state === "completed"),
  );
  assert.deepEqual(Object.keys(backfillStatus).toSorted(), ["s1", "s2"]);
  assert.match(backfillStatus.s1.updatedAt, /\+00:00$/);
  assert.equal(await trip.removeSession(first), undefined);
  await trip.removeSession(second.id);
  assert.deepEqual(await walked(await trip.sessions()), []);
  await assert.rejects(trip.addSessions(["nope"]), sdk.NotFoundError);
});

newer("a session is born in its scopes", async ({ honcho, wire }) => {
  const trip = await honcho.scope("trip");
  await honcho.scope("work");
  await honcho.session("s", { scopes: [trip, "work"] });
  assert.deepEqual(wire.at(-1).body.scopes, ["trip", "work"]);
  assert.deepEqual(ids((await trip.sessions()).items), ["s"]);
});

newer("a scope is searched, represented and read in a context", async ({ honcho }) => {
  const [alice, trip] = [await honcho.peer("alice"), await honcho.scope("trip")];
  const inside = await honcho.session("inside", { scopes: ["trip"] });
  const outside = await honcho.session("outside");
  await inside.addMessages(alice.message("I love steam trains."));
  await outside.addMessages(alice.message("I hate slow trains."));
  await settled(honcho);
  const found = await honcho.search("trains", { scope: trip, limit: 5 });
  assert.deepEqual(
    found.map(({ sessionId }) => sessionId),
    ["inside"],
  );
  const shown = await alice.representation({ scope: [trip] });
  assert.match(shown, /steam trains/);
  assert.doesNotMatch(shown, /slow trains/);
  const context = await inside.context({ peerTarget: alice, scope: "trip" });
  assert.match(context.peerRepresentation, /steam trains/);
});
