// What the SDK makes of a refusal.

import assert from "node:assert/strict";
import { newer, step } from "./steps.mjs";

const refused = (kind, message) => (error) => {
  assert.ok(error instanceof kind, `${error.name}: ${error.message}`);
  if (message instanceof RegExp) assert.match(error.message, message);
  else if (message) assert.equal(error.message, message);
  return true;
};

step(
  "what is not there is a NotFoundError with the server's words",
  async ({ sdk, honcho, workspace }) => {
    const alice = await honcho.peer("alice");
    await alice.getMetadata();
    await assert.rejects(
      alice.chat("What?", { session: "ghost" }),
      refused(sdk.NotFoundError, /ghost not found/i),
    );
    const session = await honcho.session("s");
    await assert.rejects(
      session.context({ peerTarget: "ghost" }),
      refused(sdk.NotFoundError, `Peer ghost not found in workspace ${workspace}`),
    );
  },
);

step(
  "a filter nobody knows is an UnprocessableEntityError",
  async ({ sdk, honcho }) => {
    await assert.rejects(
      honcho.peers({ nope: 1 }),
      refused(
        sdk.UnprocessableEntityError,
        "Column 'nope' is not allowed to be filtered on or does not exist on Peer",
      ),
    );
  },
);

step(
  "a list of problems is in the body of the error",
  async ({ sdk, honcho, workspace }) => {
    const asked = honcho.http.post(`/v3/workspaces/${workspace}/peers`, {
      body: { id: "a b" },
    });
    await assert.rejects(asked, (error) => {
      assert.ok(error instanceof sdk.UnprocessableEntityError);
      assert.equal(error.body.detail[0].type, "string_pattern_mismatch");
      assert.deepEqual(error.body.detail[0].loc, ["body", "id"]);
      return true;
    });
  },
);

step("too many observers are a BadRequestError", async ({ sdk, honcho }) => {
  const session = await honcho.session("s");
  const many = Array.from({ length: 11 }, (_, n) => [`p${n}`, { observeOthers: true }]);
  await assert.rejects(session.addPeers(many), refused(sdk.BadRequestError));
});

step(
  "a workspace with sessions is a ConflictError",
  async ({ sdk, honcho, workspace }) => {
    await (await honcho.session("s")).setMetadata({});
    await assert.rejects(honcho.deleteWorkspace(workspace), refused(sdk.ConflictError));
  },
);

step(
  "a method nobody serves is a HonchoError of 405",
  async ({ sdk, honcho, workspace }) => {
    await assert.rejects(honcho.http.get(`/v3/workspaces/${workspace}`), (error) => {
      assert.ok(error instanceof sdk.HonchoError);
      assert.equal(error.status, 405);
      assert.equal(error.message, "Method Not Allowed");
      return true;
    });
  },
);

newer(
  "a refused stream and a refused upload are the same errors",
  async ({ sdk, honcho }) => {
    const alice = await honcho.peer("alice");
    await assert.rejects(
      alice.chatStream("What?", { target: "ghost" }),
      refused(sdk.NotFoundError),
    );
    const session = await honcho.session("s");
    const picture = new Blob(["x"], { type: "image/png" });
    await assert.rejects(
      session.uploadFile(picture, "alice"),
      (error) => error.status === 415,
    );
  },
);
