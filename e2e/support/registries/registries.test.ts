import { expect, it } from "vitest";

import { basicAuthorization } from "./registry-names.ts";
import { startDistribution } from "./start-distribution.ts";
import { startTokenServer, type TokenServer } from "./start-token-server.ts";

const alice = { name: "alice", password: "first:password" };
const rights = { "team/*": ["pull", "push"] } as const;
const usersOf = (password: string) => ({ users: { [alice.name]: { password, rights } } });

it("a registry behind a token server lets in who may", async () => {
  await using tokenServer = await startTokenServer(usersOf(alice.password));
  await using registry = await startDistribution({ auth: { token: tokenServer } });
  const startUpload = (repository: string, token?: string) =>
    statusOf(`http://${registry.host}/v2/${repository}/blobs/uploads/`, token && `Bearer ${token}`, "POST");

  const challenge = await fetch(`http://${registry.host}/v2/`);
  expect(challenge.headers.get("www-authenticate")).toContain(`realm="${tokenServer.realm}"`);
  expect(await startUpload("team/app")).toBe(401);
  const scope = "repository:team/app:pull,push";
  const { token } = await askToken(tokenServer, { scope });
  expect(await startUpload("team/app", token)).toBe(202);
  expect(await startUpload("other/app", token)).toBe(401);

  expect(await askToken(tokenServer, { scope, password: "wrong" })).toEqual({ status: 401 });
  await tokenServer.configure(usersOf("second"));
  expect(await askToken(tokenServer, { scope })).toEqual({ status: 401 });
  expect(await askToken(tokenServer, { scope, password: "second" })).toMatchObject({ status: 200 });
  expect(
    (await tokenServer.requests()).map(({ user, status, requested, granted }) => [user, status, requested, granted]),
  ).toEqual([
    ["alice", 200, [scope], [scope]],
    ["alice", 401, [scope], []],
    ["alice", 401, [scope], []],
    ["alice", 200, [scope], [scope]],
  ]);
});

it("a refresh token is as good as the password that it came from", async () => {
  await using tokenServer = await startTokenServer({ ...usersOf(alice.password), anonymous: { "open/*": ["pull"] } });
  const post = async (form: Record<string, string>) => {
    const body = new URLSearchParams({ service: tokenServer.service, scope: "repository:team/app:pull", ...form });
    const response = await fetch(tokenServer.realm, { method: "POST", body });
    return { status: response.status, ...((await response.json()) as { refresh_token?: string }) };
  };
  const login = { grant_type: "password", username: alice.name, password: alice.password, access_type: "offline" };
  const { refresh_token = "" } = await post(login);
  expect(await post({ grant_type: "refresh_token", refresh_token })).toMatchObject({ status: 200 });
  expect(await post({ grant_type: "refresh_token", refresh_token: `${refresh_token}x` })).toMatchObject({
    status: 401,
  });
  await tokenServer.configure({ ...usersOf("second"), refusePost: false });
  expect(await post({ grant_type: "refresh_token", refresh_token })).toMatchObject({ status: 401 });
  await tokenServer.configure({ ...usersOf("second"), refusePost: true });
  expect(await post({ ...login, password: "second" })).toMatchObject({ status: 404 });
  expect(JSON.stringify(await tokenServer.requests())).not.toContain("first:password");
});

it("a registry with passwords takes new ones at the next request", async () => {
  await using registry = await startDistribution({ auth: { htpasswd: { alice: alice.password } } });
  const login = (password: string) =>
    statusOf(`http://${registry.host}/v2/`, basicAuthorization({ name: "alice", password }));
  expect(await statusOf(`http://${registry.host}/v2/`)).toBe(401);
  expect(await login(alice.password)).toBe(200);
  await registry.setPasswords({ alice: "second" });
  expect(await login(alice.password)).toBe(401);
  expect(await login("second")).toBe(200);
  expect(registry.accessLog().at(-1)).toContain(`"GET /v2/ HTTP/1.1" 200`);
});

async function askToken(
  { realm, service }: TokenServer,
  { scope, password = alice.password }: { readonly scope: string; readonly password?: string },
): Promise<{ readonly status: number; readonly token?: string }> {
  const headers = { authorization: basicAuthorization({ name: alice.name, password }) };
  const response = await fetch(`${realm}?${new URLSearchParams({ service, scope }).toString()}`, { headers });
  const { token } = (await response.json()) as { token?: string };
  return token === undefined ? { status: response.status } : { status: response.status, token };
}

async function statusOf(url: string, authorization?: string, method = "GET"): Promise<number> {
  const response = await fetch(url, { method, headers: authorization === undefined ? {} : { authorization } });
  await response.arrayBuffer();
  return response.status;
}
