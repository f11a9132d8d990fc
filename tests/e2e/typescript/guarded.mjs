// A server that wants keys: who may do what with which, as the SDK shows it (HC 4).

import assert from "node:assert/strict";
import { newer, step } from "./steps.mjs";

/** A session `s` of alice and bob, made with the admin's key. */
async function prepared({ connect, keys, workspace }) {
  const admin = connect({ apiKey: keys.admin });
  const [alice, session] = [await admin.peer("alice"), await admin.session("s")];
  const said = await session.addMessages([
    alice.message("I love steam trains."),
    { peerId: "bob", content: "So do I." },
  ]);
  await admin.session("other").then((other) => other.addPeers("bob"));
  const token = (claims) => keys.minted(workspace, claims);
  return { admin, said, as: (claims) => connect({ apiKey: token(claims) }) };
}

step(
  "without a key or with a false one it is an AuthenticationError",
  async ({ sdk, connect }) => {
    const refused = (message) => (error) => {
      assert.ok(error instanceof sdk.AuthenticationError);
      assert.equal(error.message, message);
      return true;
    };
    await assert.rejects(connect().getMetadata(), refused("No access token provided"));
    await assert.rejects(
      connect({ apiKey: "x" }).getMetadata(),
      refused("Invalid JWT"),
    );
  },
);

step("an admin's key does everything", async (given) => {
  const { admin } = await prepared(given);
  assert.ok((await admin.workspaces()).total >= 1);
  assert.ok((await admin.search("trains")).length >= 1);
});

step("a workspace's key does everything within", async (given) => {
  const { as } = await prepared(given);
  const mine = as({});
  assert.deepEqual(
    (await mine.sessions()).items.map(({ id }) => id),
    ["s", "other"],
  );
  assert.ok((await mine.search("trains")).length >= 1);
  await assert.rejects(mine.workspaces(), given.sdk.AuthenticationError);
  const elsewhere = given.connect({ apiKey: given.keys.minted("elsewhere", {}) });
  await assert.rejects(elsewhere.peers(), given.sdk.AuthenticationError);
});

step("a peer's key is the peer's", async (given) => {
  const { AuthenticationError } = given.sdk;
  const { as } = await prepared(given);
  const mine = as({ p: "alice" });
  const alice = await mine.peer("alice");
  await alice.setMetadata({ mine: true });
  assert.deepEqual(await alice.getMetadata(), { mine: true });
  assert.equal(
    typeof (await alice.chat("What do I love?", { session: "s" })),
    "string",
  );
  assert.equal((await alice.search("trains")).length, 1);
  const session = await mine.session("s");
  assert.equal((await session.messages()).total, 2);
  assert.equal((await session.context({ peerTarget: "alice" })).messages.length, 2);
  for (const refused of [
    () => session.addMessages(alice.message("not with this key")),
    () => session.uploadFile(new Blob(["nor this"], { type: "text/plain" }), alice),
    () => session.delete(),
    () => mine.peer("bob").then((bob) => bob.getMetadata()),
    () => mine.search("trains"),
    () => mine.peers(),
    () => mine.queueStatus(),
    () => alice.conclusions.list(),
    () => alice.chat("What?", { session: "other" }),
    () => mine.session("other").then((other) => other.messages()),
  ]) {
    await assert.rejects(refused(), AuthenticationError, refused.toString());
  }
});

step("a session's key is the session's", async (given) => {
  const { AuthenticationError } = given.sdk;
  const { as } = await prepared(given);
  const mine = as({ s: "s" });
  const session = await mine.session("s");
  const alice = await mine.peer("alice");
  await session.addMessages(alice.message("with this key"));
  const blob = new Blob(["and this"], { type: "text/plain" });
  await session.uploadFile(blob, alice);
  assert.equal(given.wire.at(-1).headers.Authorization.slice(0, 7), "Bearer ");
  assert.equal((await session.messages()).total, 4);
  await assert.rejects(alice.chat("What?"), AuthenticationError);
  const others = () => mine.session("other").then((other) => other.messages());
  await assert.rejects(others(), AuthenticationError);
});

newer("a refused stream is an AuthenticationError", async (given) => {
  const { as } = await prepared(given);
  const session = as({ s: "s" });
  const alice = await session.peer("alice");
  await assert.rejects(alice.chatStream("What?"), given.sdk.AuthenticationError);
  await assert.rejects(session.chatStream("What?"), given.sdk.AuthenticationError);
});
