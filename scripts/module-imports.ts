import { readFileSync } from "node:fs";

import ts from "typescript";

/** An import of one module by another, as it stands in the source. */
export interface ModuleImport {
  readonly specifier: string;
  /** `type` leaves no trace at run time, `dynamic` loads at first use. */
  readonly kind: "static" | "type" | "dynamic";
}

/** All imports and re-exports of a TypeScript file. */
export function moduleImports(path: string): readonly ModuleImport[] {
  return parseImports(readFileSync(path, "utf8"));
}

/**
 * All imports and re-exports of TypeScript text. Only `import type` and `export type` are of kind `type`: under `verbatimModuleSyntax`
 * `import { type A } from "x"` still loads x.
 */
export function parseImports(text: string): readonly ModuleImport[] {
  const found: ModuleImport[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node))
      add(node.moduleSpecifier, node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword ? "type" : "static");
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly ? "type" : "static");
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal, "type");
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      add(node.arguments[0], "dynamic");
    ts.forEachChild(node, visit);
  };
  const add = (specifier: ts.Node | undefined, kind: ModuleImport["kind"]): void => {
    if (specifier !== undefined && ts.isStringLiteral(specifier)) found.push({ specifier: specifier.text, kind });
  };
  visit(ts.createSourceFile("module.ts", text, ts.ScriptTarget.Latest));
  return found;
}

/** The package that a specifier names: `@scope/name/sub` is of `@scope/name`. Undefined for relative paths and Node's own modules. */
export function packageOf(specifier: string): string | undefined {
  if (specifier.startsWith(".") || specifier.startsWith("node:")) return undefined;
  return specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
}
