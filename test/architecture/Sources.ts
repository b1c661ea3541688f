import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import ts from "typescript"

/** One file below a `src` folder, parsed. */
export interface Source {
  /** Relative to the folder that was read, with `/`: `engine/Decide.ts`. */
  readonly path: string
  readonly tree: ts.SourceFile
}

/** Something one file takes from another module, in whatever syntax; type imports count. */
export interface Import {
  readonly from: string
  readonly specifier: string
  /** Gone when the program runs. */
  readonly isType: boolean
  /** Loaded when it is asked for: `import()`. */
  readonly isLater: boolean
}

export const parse = (path: string, text: string): Source => ({
  path,
  tree: ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
})

export const readSources = (root: string): ReadonlyArray<Source> =>
  readdirSync(root, { recursive: true, encoding: "utf8" })
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => /\.tsx?$/.test(path))
    .toSorted()
    .map((path) => parse(path, readFileSync(join(root, path), "utf8")))

export const walk = (node: ts.Node, visit: (node: ts.Node) => void): void => {
  visit(node)
  ts.forEachChild(node, (child) => walk(child, visit))
}

const specifierOf = (node: ts.Node): ts.Node | undefined => {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return node.moduleSpecifier
  if (ts.isImportTypeNode(node)) return ts.isLiteralTypeNode(node.argument) ? node.argument.literal : node.argument
  if (ts.isExternalModuleReference(node)) return node.expression
  if (ts.isModuleDeclaration(node) && ts.isStringLiteral(node.name)) return node.name
  if (!ts.isCallExpression(node)) return undefined
  const callee = node.expression
  const loads = callee.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(callee) && callee.text === "require")
  return loads ? node.arguments[0] : undefined
}

/** With `verbatimModuleSyntax` what is not marked as a type is loaded, names or none. */
const isTypeOnly = (node: ts.Node): boolean => {
  if (ts.isImportTypeNode(node)) return true
  if (ts.isExportDeclaration(node)) return node.isTypeOnly
  return ts.isImportDeclaration(node) && node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword
}

/** A specifier that is computed is reported as its source text, which no rule allows. */
export const importsOf = (source: Source): ReadonlyArray<Import> => {
  const found: Array<Import> = []
  walk(source.tree, (node) => {
    const specifier = specifierOf(node)
    if (specifier === undefined) return
    found.push({
      from: source.path,
      isType: isTypeOnly(node),
      isLater: ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword,
      specifier: ts.isStringLiteralLike(specifier) ? specifier.text : `computed: ${specifier.getText(source.tree)}`
    })
  })
  return found
}

/** Lines that hold code; comments and blank lines are not counted. */
export const linesOfCode = ({ tree }: Source): number => {
  const lines = new Set<number>()
  // tokens, brackets too, which `forEachChild` leaves out
  const count = (node: ts.Node): void => {
    if (ts.isJSDoc(node) || node.kind === ts.SyntaxKind.EndOfFileToken) return
    const children = node.getChildren(tree)
    if (children.length > 0) return children.forEach(count)
    if (node.getWidth(tree) === 0) return
    const first = tree.getLineAndCharacterOfPosition(node.getStart(tree)).line
    const last = tree.getLineAndCharacterOfPosition(node.getEnd()).line
    for (let line = first; line <= last; line++) lines.add(line)
  }
  count(tree)
  return lines.size
}
