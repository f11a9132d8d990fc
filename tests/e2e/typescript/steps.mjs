// Steps of a replay: each in a workspace of its own, each one JSON line of outcome.

import { randomBytes } from "node:crypto";

const STEPS = [];
const PATIENCE_MS = 60_000;

/** A step every 2.x of the SDK can take. */
export function step(name, take) {
  STEPS.push({ name, take, newer: false });
}

/** A step that needs what came after the oldest 2.x. */
export function newer(name, take) {
  STEPS.push({ name, take, newer: true });
}

/** Take every step this SDK can take; print `{name, ok, detail}` for each. */
export async function replay(sdk, { url, keys, oldest }) {
  const wire = recorded();
  for (const { name, take, newer } of STEPS) {
    if (oldest && newer) continue;
    const workspace = `ts-${randomBytes(6).toString("hex")}`;
    const connect = (more = {}) =>
      new sdk.Honcho({ baseURL: url, workspaceId: workspace, maxRetries: 0, ...more });
    wire.length = 0;
    let outcome = { name, ok: true };
    try {
      await take({ sdk, url, keys, wire, workspace, connect, honcho: connect() });
    } catch (error) {
      outcome = { name, ok: false, detail: `${error.stack}\n${told(wire)}` };
    }
    process.stdout.write(`${JSON.stringify(outcome)}\n`);
  }
}

/** Ask until `answered` holds for the answer, and return that answer. */
export async function until(ask, answered) {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const answer = await ask();
    if (answered(answer)) return answer;
    if (Date.now() > deadline) throw new Error(`still ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Wait until everything said in the workspace is reasoned about. */
export async function settled(honcho) {
  return until(
    () => honcho.queueStatus(),
    (status) => status.pendingWorkUnits + status.inProgressWorkUnits === 0,
  );
}

/** Everything a page and those after it hold, by walking as an application does. */
export async function walked(page) {
  const found = [];
  for await (const item of page) found.push(item);
  return found;
}

/** A value without members that are undefined, which JSON does not know. */
export const plain = (value) => JSON.parse(JSON.stringify(value));

/** Every request of this process from now on, as it was sent. */
function recorded() {
  const wire = [];
  const send = globalThis.fetch;
  globalThis.fetch = async (address, init = {}) => {
    const { pathname, searchParams } = new URL(address);
    const sent = {
      method: init.method ?? "GET",
      path: pathname,
      query: searchParams.toString(),
      headers: init.headers ?? {},
      body: typeof init.body === "string" ? JSON.parse(init.body) : init.body,
    };
    wire.push(sent);
    const response = await send(address, init);
    sent.status = response.status;
    return response;
  };
  return wire;
}

/** The last requests, for who reads why a step failed. */
function told(wire) {
  const lines = wire.slice(-8).map(({ method, path, query, body, status }) => {
    const text = JSON.stringify(body) ?? "";
    return `${status} ${method} ${path}?${query} ${text.slice(0, 300)}`;
  });
  return lines.join("\n");
}
