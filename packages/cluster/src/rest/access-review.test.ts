import { expect, test } from "vitest";

import { answer, startFakeApiServer } from "../__fixtures__/fake-api-server.ts";

interface Review {
  readonly spec: { readonly resourceAttributes: Readonly<Record<string, string>> };
}

test("canI asks about each verb on each resource, for single permissions and for the rules of a Role", async () => {
  const asked: Readonly<Record<string, string>>[] = [];
  await using server = await startFakeApiServer({
    request: (_, response, body) => {
      const { resourceAttributes } = (JSON.parse(body) as Review).spec;
      asked.push(resourceAttributes);
      answer(response, 201, { status: { allowed: resourceAttributes["verb"] !== "patch" } });
    },
  });
  const missing = await server.cluster.canI([
    { verb: "get", resource: "pods" },
    { apiGroups: ["", "apps"], resources: ["secrets"], verbs: ["get", "patch"], namespace: "apps" },
    { apiGroups: [""], resources: ["pods/exec"], verbs: ["create"], resourceNames: ["a", "b"] },
  ]);
  expect(missing).toEqual([
    { verb: "patch", resource: "secrets", namespace: "apps" },
    { verb: "patch", resource: "secrets", apiGroup: "apps", namespace: "apps" },
  ]);
  const { namespace } = server.cluster;
  const expected = [
    { verb: "get", resource: "pods", namespace },
    { verb: "get", resource: "secrets", namespace: "apps" },
    { verb: "patch", resource: "secrets", namespace: "apps" },
    { verb: "get", group: "apps", resource: "secrets", namespace: "apps" },
    { verb: "patch", group: "apps", resource: "secrets", namespace: "apps" },
    { verb: "create", resource: "pods", subresource: "exec", name: "a", namespace },
    { verb: "create", resource: "pods", subresource: "exec", name: "b", namespace },
  ];
  expect(asked).toHaveLength(expected.length);
  expect(asked).toEqual(expect.arrayContaining(expected));
});
