// A server whose model answers `Tea, at the café by the sea.`, or fails where asked to.

import assert from "node:assert/strict";
import { z } from "zod";
import { newer, step } from "./steps.mjs";

const ANSWER = "Tea, at the café by the sea.";
const FORM = z.object({
  drink: z.string(),
  places: z.array(z.object({ name: z.string(), visits: z.number().int() })),
  mood: z.enum(["calm", "merry"]).nullable(),
});

async function told({ honcho }) {
  const [alice, session] = [await honcho.peer("alice"), await honcho.session("s")];
  await session.addMessages(alice.message("I drink tea."));
  return alice;
}

step("a model answers whole and piece by piece", async (given) => {
  const alice = await told(given);
  for (const reasoningLevel of ["minimal", "max"]) {
    assert.equal(await alice.chat("What do I drink?", { reasoningLevel }), ANSWER);
    const stream = await alice.chatStream("What do I drink?", { reasoningLevel });
    const pieces = await stream.toArray();
    assert.ok(pieces.length > 1);
    assert.equal(pieces.join(""), ANSWER);
  }
});

newer("a model fills a form, whole and piece by piece", async (given) => {
  const alice = await told(given);
  const filled = await alice.chat("What do I drink?", { responseFormat: FORM });
  assert.equal(typeof filled.drink, "string");
  const stream = await alice.chatStream("What do I drink?", { responseFormat: FORM });
  assert.ok(FORM.safeParse(JSON.parse(await stream.getFinalResponse())).success);
});

newer("a model answers about a workspace, with evidence", async (given) => {
  await told(given);
  const options = { includeEvidence: true };
  const { content, evidence } = await given.honcho.chat("Who drinks tea?", options);
  assert.equal(content, ANSWER);
  assert.ok(Array.isArray(evidence.messages));
  const stream = await given.honcho.chatStream("Who drinks tea?", options);
  assert.equal(await stream.getFinalResponse(), ANSWER);
  assert.deepEqual(Object.keys(stream.evidence).toSorted(), [
    "conclusions",
    "messages",
    "reasoning_trace_id",
    "tool_calls",
  ]);
});

step(
  "a model that fails is a ServerError, or a stream that says nothing",
  async (given) => {
    const alice = await told(given);
    await assert.rejects(alice.chat("Please fail."), (error) => {
      assert.ok(error instanceof given.sdk.ServerError, error.stack);
      assert.equal(error.status, 503);
      return true;
    });
    assert.deepEqual(await (await alice.chatStream("Please fail.")).toArray(), []);
  },
);
