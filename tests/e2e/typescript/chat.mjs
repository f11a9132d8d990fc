// Chat: with a peer and with a workspace, whole and streamed, in forms, with evidence.

import assert from "node:assert/strict";
import { z } from "zod";
import { newer, settled, step } from "./steps.mjs";

const FORM = z.object({ likes: z.string(), count: z.number() });

async function told({ honcho }) {
  const [alice, bob] = [await honcho.peer("alice"), await honcho.peer("bob")];
  const session = await honcho.session("s");
  await session.addPeers([alice, [bob, { observeOthers: true }]]);
  const [said] = await session.addMessages([
    alice.message("I love steam trains."),
    alice.message("My café is in Rome."),
  ]);
  await settled(honcho);
  return { alice, bob, session, said };
}

step("a peer is asked", async (given) => {
  const { alice, bob, session } = await told(given);
  assert.match(await alice.chat("What does Alice love?"), /steam trains/);
  assert.deepEqual(given.wire.at(-1).body, {
    query: "What does Alice love?",
    stream: false,
  });
  for (const reasoningLevel of ["minimal", "low", "medium", "high", "max"]) {
    const options = { target: alice, session, reasoningLevel };
    assert.match(await bob.chat("What does Alice love?", options), /steam trains/);
  }
  assert.deepEqual(given.wire.at(-1).body, {
    query: "What does Alice love?",
    stream: false,
    target: "alice",
    session_id: "s",
    reasoning_level: "max",
  });
});

step("a peer answers in a stream", async (given) => {
  const { alice, bob, session } = await told(given);
  const chunks = [];
  const stream = await alice.chatStream("Where is the café of Alice?");
  assert.equal(given.wire.at(-1).body.stream, true);
  assert.equal(given.wire.at(-1).headers.Accept, "text/event-stream");
  for await (const chunk of stream) chunks.push(chunk);
  assert.match(chunks.join(""), /café/);
  assert.equal(await stream.getFinalResponse(), chunks.join(""));
  const options = { target: "alice", session: "s", reasoningLevel: "low" };
  const again = await bob.chatStream("What does Alice love?", options);
  assert.match((await again.toArray()).join(""), /steam trains/);
});

newer("a peer fills a form", async (given) => {
  const { alice } = await told(given);
  const filled = await alice.chat("What does Alice love?", { responseFormat: FORM });
  assert.equal(given.wire.at(-1).body.response_format.type, "object");
  assert.equal(typeof filled.likes, "string");
  assert.equal(typeof filled.count, "number");
  const schema = {
    type: "object",
    properties: { likes: { type: "string" } },
    required: ["likes"],
  };
  const text = await alice.chat("What does Alice love?", { responseFormat: schema });
  assert.equal(typeof JSON.parse(text).likes, "string");
  const stream = await alice.chatStream("What does Alice love?", {
    responseFormat: FORM,
  });
  assert.ok(FORM.safeParse(JSON.parse(await stream.getFinalResponse())).success);
});

newer("a peer answers with evidence", async (given) => {
  const { alice, said } = await told(given);
  const { content, evidence } = await alice.chat("What does Alice love?", {
    includeEvidence: true,
  });
  assert.match(content, /steam trains/);
  assertEvidence(evidence, said);
  const stream = await alice.chatStream("What does Alice love?", {
    includeEvidence: true,
  });
  assert.equal(stream.evidence, null);
  await stream.getFinalResponse();
  assertEvidence(stream.evidence, said);
  const formed = await alice.chat("What?", {
    includeEvidence: true,
    responseFormat: FORM,
  });
  assert.equal(typeof formed.content.likes, "string");
});

newer("a peer is asked about named sessions and scopes", async (given) => {
  const { alice, session } = await told(given);
  await given.honcho.scope("trip").then((trip) => trip.addSessions([session]));
  const asked = "What does Alice love?";
  assert.match(await alice.chat(asked, { sessions: [session, "s9"] }), /steam trains/);
  assert.deepEqual(given.wire.at(-1).body.filters, { session_id: ["s", "s9"] });
  assert.match(await alice.chat(asked, { scope: ["trip"] }), /steam trains/);
  const stream = await alice.chatStream(asked, { scope: "trip" });
  assert.match(await stream.getFinalResponse(), /steam trains/);
});

newer("a workspace is asked", async (given) => {
  const { session, said } = await told(given);
  await given.honcho.scope("trip").then((trip) => trip.addSessions(["s"]));
  const asked = "What does Alice love?";
  assert.match(await given.honcho.chat(asked), /steam trains/);
  assert.match(given.wire.at(-1).path, /^\/v3\/workspaces\/[\w-]+\/chat$/);
  for (const place of [{ session }, { scope: ["trip"] }, { scope: "trip" }]) {
    const options = { ...place, reasoningLevel: "high" };
    assert.match(await given.honcho.chat(asked, options), /steam trains/);
  }
  const { content, evidence } = await given.honcho.chat(asked, {
    includeEvidence: true,
  });
  assert.match(content, /steam trains/);
  assertEvidence(evidence, said);
  const form = { type: "object", properties: { likes: { type: "string" } } };
  const formed = await given.honcho.chat(asked, { responseFormat: form });
  assert.equal(typeof JSON.parse(formed), "object");
});

newer("a workspace answers in a stream", async (given) => {
  const { said } = await told(given);
  const stream = await given.honcho.chatStream("What does Alice love?", {
    includeEvidence: true,
  });
  assert.match(await stream.getFinalResponse(), /steam trains/);
  assertEvidence(stream.evidence, said);
});

function assertEvidence(evidence, said) {
  assert.ok(evidence.conclusions.some(({ content }) => /steam trains/.test(content)));
  for (const { id, level, created_at, source_ids } of evidence.conclusions) {
    assert.match(id, /^[\w-]{21}$/);
    assert.equal(level, "explicit");
    assert.ok(Date.parse(created_at) > 0);
    assert.ok(Array.isArray(source_ids));
  }
  const told = evidence.messages.find(({ id }) => id === said.id);
  assert.deepEqual([told.session_id, told.peer_id], ["s", "alice"]);
  assert.ok(Array.isArray(evidence.tool_calls));
}
