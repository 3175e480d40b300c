// Microsoft's JavaScript client against the simulated tenant: reads, an action with `post({})`, a batch, errors.
//
// In: the address of `musterout simulate` with scenario.yaml. Out: a line for each check; 1 if one fails.

import {
  BatchRequestContent,
  BatchResponseContent,
  Client,
  GraphError,
  HTTPMessageHandler,
  PageIterator,
} from "@microsoft/microsoft-graph-client";

const url = process.argv[2];
const device = "/deviceManagement/managedDevices/10000000-0000-4000-8000-000000000002";
let failed = 0;

function check(what, isSo, told = "") {
  failed += isSo ? 0 : 1;
  console.log(`${isSo ? "ok    " : "FAIL  "}javascript: ${what}${isSo ? "" : `: ${JSON.stringify(told)}`}`);
}

// The client gives its token, and follows links, to https addresses alone. This handler stands in for the encryption.
const secure = url.replace("http://", "https://");

class Loopback {
  async execute(context) {
    const headers = new Headers(context.options?.headers ?? {});
    headers.set("Authorization", "Bearer any");
    context.request = context.request.replace(secure, url);
    context.options = { ...context.options, headers: Object.fromEntries(headers) };
    await this.next.execute(context);
    const { status, statusText, headers: told } = context.response;
    const text = (await context.response.text()).replaceAll(url, secure);
    context.response = new Response(text === "" ? null : text, { status, statusText, headers: told });
  }

  setNext(next) {
    this.next = next;
  }
}

const middleware = new Loopback();
middleware.setNext(new HTTPMessageHandler());
const client = Client.initWithMiddleware({ baseUrl: secure, middleware });

const names = [];
const first = await client.api("/deviceManagement/managedDevices").select(["id", "deviceName"]).get();
await new PageIterator(client, first, (item) => names.push(item.deviceName)).iterate();
check("pages of devices", names.join() === "LAB-01,LAB-02,LAB-03", names);

await client.api(`${device}/syncDevice`).post({});
await client.api(`${device}/microsoft.graph.rebootNow`).version("v1.0").post({});
check("an action takes an empty object", true);
await client.api(`${device}`).patch({ "@odata.type": "#microsoft.graph.managedDevice", notes: "spare" });
const noted = await client.api(device).select("id,notes").get();
check("notes are shown to who selects them", noted.notes === "spare", noted);

const counted = await client
  .api("/users")
  .header("ConsistencyLevel", "eventual")
  .count(true)
  .filter("startswith(displayName,'B') or userPrincipalName in ('bo@contoso.com')")
  .get();
check("a count of the directory", counted["@odata.count"] === 1, counted);

try {
  await client.api("/users/nobody@contoso.com").get();
  check("a user who is not there", false);
} catch (error) {
  const told = error instanceof GraphError && error.statusCode === 404 && error.code === "Request_ResourceNotFound";
  check("a user who is not there", told, error);
}

// The client makes the part behind the host the address in the batch.
const request = (path, options) => new Request(`${secure}${path}`, options);
const json = { "Content-Type": "application/json" };
const steps = [
  { id: "1", request: request("/users/bo@contoso.com", { method: "GET" }) },
  { id: "2", request: request(`${device}/retire`, { method: "POST", headers: json, body: "{}" }) },
  { id: "3", request: request("/users/nobody@contoso.com", { method: "GET" }) },
];
const content = await new BatchRequestContent(steps).getContent();
const answers = new BatchResponseContent(await client.api("/$batch").post(content));
const user = answers.getResponseById("1");
check("a batch: a read", user.status === 200 && (await user.json()).displayName === "Bo", user);
check("a batch: its content type", (user.headers.get("content-type") ?? "").startsWith("application/json"), user);
check("a batch: an action", answers.getResponseById("2").status === 204);
check("a batch: a refusal", answers.getResponseById("3").status === 404);

process.exit(failed ? 1 : 0);
