// Messages: said, listed, got, changed and uploaded.

import assert from "node:assert/strict";
import { newer, step, walked } from "./steps.mjs";

const contents = (items) => items.map(({ content }) => content);

step("messages are said one at a time and in batches", async ({ honcho, wire }) => {
  const [session, alice] = [await honcho.session("s"), await honcho.peer("alice")];
  const [one] = await session.addMessages(alice.message("hello"));
  assert.deepEqual(wire.at(-1).body, {
    messages: [{ peer_id: "alice", content: "hello" }],
  });
  assert.match(one.id, /^[\w-]{21}$/);
  assert.equal(one.peerId, "alice");
  assert.equal(one.sessionId, "s");
  assert.deepEqual(one.metadata, {});
  assert.equal(one.tokenCount, 1);
  const many = await session.addMessages([
    alice.message("later", {
      createdAt: new Date("2024-01-02T03:04:05Z"),
      metadata: { n: 1 },
    }),
    { peerId: "bob", content: "", configuration: { reasoning: { enabled: null } } },
    {
      peerId: "carol",
      content: "hi",
      configuration: { reasoning: { enabled: false } },
    },
  ]);
  assert.deepEqual(contents(many), ["later", "", "hi"]);
  assert.equal(Date.parse(many[0].createdAt), Date.parse("2024-01-02T03:04:05Z"));
  assert.deepEqual(many[0].metadata, { n: 1 });
  assert.equal((await session.peers()).length, 3);
});

step("messages are walked over two pages of fifty", async ({ honcho, wire }) => {
  const [session, alice] = [await honcho.session("s"), await honcho.peer("alice")];
  const texts = Array.from({ length: 60 }, (_, n) => `number ${n}`);
  await session.addMessages(
    texts.map((text) =>
      alice.message(text, { configuration: { reasoning: { enabled: false } } }),
    ),
  );
  const page = await session.messages();
  assert.deepEqual(wire.at(-1).body, {});
  assert.equal(page.total, 60);
  assert.equal(page.pages, 2);
  assert.deepEqual(contents(await walked(page)), texts);
  assert.equal(wire.at(-1).query, "page=2&size=50");
  assert.equal((await page.toArray()).length, 60);
});

step("messages are filtered", async ({ honcho }) => {
  const [session, alice] = [await honcho.session("s"), await honcho.peer("alice")];
  await session.addMessages([
    alice.message("kept", { metadata: { keep: true } }),
    { peerId: "bob", content: "other" },
  ]);
  const kept = { AND: [{ peer_id: "alice" }, { metadata: { keep: true } }] };
  assert.deepEqual(contents(await walked(await session.messages(kept))), ["kept"]);
});

newer("messages are listed page after page and backwards", async ({ honcho, wire }) => {
  const [session, alice] = [await honcho.session("s"), await honcho.peer("alice")];
  await session.addMessages(["one", "two", "three"].map((text) => alice.message(text)));
  const page = await session.messages({
    filters: { peer_id: "alice" },
    size: 2,
    reverse: true,
  });
  assert.deepEqual(wire.at(-1).body, { filters: { peer_id: "alice" } });
  assert.deepEqual(contents(await walked(page)), ["three", "two", "one"]);
  assert.equal(wire.at(-1).query, "page=2&size=2&reverse=true");
});

newer("a message is got", async ({ sdk, honcho }) => {
  const [session, alice] = [await honcho.session("s"), await honcho.peer("alice")];
  const [said] = await session.addMessages(alice.message("hello"));
  assert.deepEqual(await session.getMessage(said.id), said);
  await assert.rejects(session.getMessage("nope"), sdk.NotFoundError);
});

step("metadata of a message is replaced", async ({ honcho, wire }) => {
  const [session, alice] = [await honcho.session("s"), await honcho.peer("alice")];
  const [said] = await session.addMessages(
    alice.message("hello", { metadata: { a: 1 } }),
  );
  const changed = await session.updateMessage(said, { b: 2 });
  assert.deepEqual(wire.at(-1).body, { metadata: { b: 2 } });
  assert.deepEqual(changed.metadata, { b: 2 });
  assert.equal(changed.content, "hello");
  assert.deepEqual((await session.updateMessage(said.id, {})).metadata, {});
});

step("a blob is uploaded without a JSON content type", async ({ honcho, wire }) => {
  const session = await honcho.session("s");
  const blob = new Blob(["I love steam trains."], { type: "text/plain" });
  const [message] = await session.uploadFile(blob, "alice");
  assert.deepEqual(wire.at(-1).headers, {});
  assert.deepEqual([...wire.at(-1).body.keys()], ["file", "peer_id"]);
  assert.equal(wire.at(-1).body.get("file").name, "blob");
  assert.equal(message.content, "I love steam trains.");
  assert.equal(message.peerId, "alice");
  assert.deepEqual(contents(await walked(await session.messages())), [message.content]);
});

step(
  "a named file is uploaded with all that goes with it",
  async ({ honcho, wire }) => {
    const [session, alice] = [await honcho.session("s"), await honcho.peer("alice")];
    const file = {
      filename: "facts.json",
      content: Buffer.from('{"likes": "tea"}'),
      content_type: "application/json",
    };
    const [message] = await session.uploadFile(file, alice, {
      metadata: { source: "form" },
      configuration: { reasoning: { enabled: false } },
      createdAt: new Date("2024-01-02T03:04:05.678Z"),
    });
    const form = wire.at(-1).body;
    assert.deepEqual(
      [...form.keys()],
      ["file", "peer_id", "metadata", "configuration", "created_at"],
    );
    assert.equal(form.get("file").name, "facts.json");
    assert.match(message.content, /tea/);
    assert.equal(message.metadata.source, "form");
    assert.equal(Date.parse(message.createdAt), Date.parse("2024-01-02T03:04:05.678Z"));
  },
);

step("a long file becomes messages in order", async ({ honcho }) => {
  const session = await honcho.session("s");
  const text = "Steam trains cross the valley every day. ".repeat(1500);
  const file = new File([text], "long.txt", { type: "text/plain" });
  const configuration = { reasoning: { enabled: false } };
  const messages = await session.uploadFile(file, "alice", { configuration });
  assert.ok(messages.length > 1);
  const listed = await walked(await session.messages());
  assert.deepEqual(contents(listed), contents(messages));
});
