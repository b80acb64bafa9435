import { readFileSync } from "node:fs";
import { join } from "node:path";

import { BuilderError, builderErrorCodes, type BuilderErrorInit } from "@slipway/core";
import ts from "typescript";
import { describe, expect, it } from "vitest";

import { repositoryRoot } from "./run-command.ts";

/** The parts of one code's section in docs/errors.md, by their bold heading: `Cause`, `Remedy`, `Details`, `Retryable`. */
type Section = Readonly<Record<string, string>>;

const sections: ReadonlyMap<string, Section> = readSections();

function readSections(): Map<string, Section> {
  const text = readFileSync(join(repositoryRoot, "docs", "errors.md"), "utf8");
  const blocks = text.split(/^(?=#{2,3} )/m).filter((block) => block.startsWith("### "));
  return new Map(
    blocks.map((block) => {
      const parts = [...block.matchAll(/^\*\*(\w+)\.\*\* ([\s\S]*?)(?=\n\n|\s*$(?![\s\S]))/gm)];
      return [
        /^### (.*)$/m.exec(block)?.[1] ?? "",
        Object.fromEntries(parts.map(([, name = "", body = ""]) => [name, body])),
      ];
    }),
  );
}

/** The names of the details that the code declares for each error code. */
function declaredDetails(): ReadonlyMap<string, readonly string[]> {
  const path = join(repositoryRoot, "packages", "core", "src", "builder-error.ts");
  const program = ts.createProgram([path], { strict: true, noEmit: true, types: [], noResolve: true });
  const checker = program.getTypeChecker();
  const declaration = program
    .getSourceFile(path)
    ?.statements.find(
      (statement) => ts.isInterfaceDeclaration(statement) && statement.name.text === "BuilderErrorDetails",
    );
  if (declaration === undefined) throw new Error("builder-error.ts declares no BuilderErrorDetails.");
  const codes = checker.getTypeAtLocation(declaration).getProperties();
  return new Map(
    codes.map((code) => [
      code.name,
      checker
        .getTypeOfSymbol(code)
        .getProperties()
        .map((detail) => detail.name),
    ]),
  );
}

function isRetryable(code: (typeof builderErrorCodes)[number]): boolean {
  return new BuilderError({ code, message: "", details: {} } as BuilderErrorInit<typeof code>).retryable;
}

describe("docs/errors.md", () => {
  it("has a section for every code, and none for anything else", () => {
    expect([...sections.keys()].sort()).toEqual([...builderErrorCodes].sort());
  });

  it.each(builderErrorCodes)("gives cause and remedy of %s", (code) => {
    expect(sections.get(code)).toMatchObject({
      Cause: expect.stringMatching(/\.$/) as string,
      Remedy: expect.stringMatching(/\.$/) as string,
    });
  });

  it.each([...declaredDetails()])("names the details of %s", (code, details) => {
    const beforeColons =
      (sections.get(code)?.["Details"] ?? "").replace(/\s+/g, " ").match(/(?:^|\. )(?:`\w+`(?:, )?)+:/g) ?? [];
    const named = beforeColons.flatMap((names) => [...names.matchAll(/`(\w+)`/g)].map(([, name]) => name));
    expect(named.sort()).toEqual([...details].sort());
  });

  it.each(builderErrorCodes)("says whether %s is retryable", (code) => {
    expect(sections.get(code)?.["Retryable"]).toBe(isRetryable(code) ? "Yes." : "No.");
  });
});
