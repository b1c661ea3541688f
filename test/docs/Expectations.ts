import ts from "typescript"

/** The `// => value` comments of a program turned into checks that `globalThis.expectationsOf(file)` settles. */
export interface Expectations {
  readonly code: string
  /** Lines of the comments, counted from 1; each must be reached when the program runs. */
  readonly lines: ReadonlyArray<number>
  /** Comments that could check nothing. */
  readonly mistakes: ReadonlyArray<{ readonly line: number; readonly message: string }>
}

interface Edit {
  readonly from: number
  readonly to: number
  readonly text: string
}

const isExpression = (text: string): boolean =>
  ts.transpileModule(`(${text})`, { reportDiagnostics: true }).diagnostics?.length === 0

const isConsoleLog = (node: ts.Expression): node is ts.CallExpression =>
  ts.isCallExpression(node) && node.expression.getText() === "console.log"

/** Edits stay within the line they change, so that positions in errors are those of the original. */
const editsFor = (file: string, statement: ts.Statement, line: number, value: string): ReadonlyArray<Edit> | string => {
  const call = `globalThis.expectationsOf(${JSON.stringify(file)}).`
  if (ts.isExpressionStatement(statement) && isConsoleLog(statement.expression)) {
    const callee = statement.expression.expression
    return [{ from: callee.getStart(), to: callee.end, text: `${call}prints(${line}, ${JSON.stringify(value)})` }]
  }
  if (!isExpression(value)) return `\`${value}\` is no expression`
  if (ts.isExpressionStatement(statement)) {
    const { expression } = statement
    return [
      { from: expression.getStart(), to: expression.getStart(), text: `${call}equals(${line}, (` },
      { from: expression.end, to: expression.end, text: `), () => (${value}))` }
    ]
  }
  const [declaration, ...others] = ts.isVariableStatement(statement) ? statement.declarationList.declarations : []
  if (declaration === undefined || others.length > 0 || !ts.isIdentifier(declaration.name)) {
    return "only an expression, a console.log or the declaration of one name has a value to compare"
  }
  const { end } = statement
  return [{ from: end, to: end, text: `; ${call}equals(${line}, ${declaration.name.text}, () => (${value}))` }]
}

/** `file` is what people are told when a value is wrong. */
export const rewrite = (file: string, text: string): Expectations => {
  const tree = ts.createSourceFile("program.ts", text, ts.ScriptTarget.Latest, true)
  const comments = new Map<number, string>()
  const statements: Array<ts.Statement> = []
  const visit = (node: ts.Node): void => {
    if (ts.isStatement(node)) statements.push(node)
    for (const ranges of [ts.getLeadingCommentRanges(text, node.pos), ts.getTrailingCommentRanges(text, node.end)]) {
      for (const { pos, end } of ranges ?? []) {
        const [, value] = /^\/\/\s*=>\s*(.*)$/.exec(text.slice(pos, end)) ?? []
        if (value !== undefined) comments.set(pos, value.trim())
      }
    }
    node.getChildren(tree).forEach(visit)
  }
  visit(tree)

  const edits: Array<Edit> = []
  const lines: Array<number> = []
  const mistakes: Array<{ readonly line: number; readonly message: string }> = []
  for (const [pos, value] of [...comments].toSorted(([a], [b]) => a - b)) {
    const line = tree.getLineAndCharacterOfPosition(pos).line + 1
    const before = statements.filter(({ end }) => end <= pos && text.slice(end, pos).trim() === "").at(-1)
    const found = before === undefined ? "no statement ends in front of it" : editsFor(file, before, line, value)
    if (typeof found === "string") {
      mistakes.push({ line, message: found })
    } else {
      edits.push(...found)
      lines.push(line)
    }
  }
  let code = text
  for (const { from, to, text: inserted } of edits.toSorted((a, b) => b.from - a.from)) {
    code = code.slice(0, from) + inserted + code.slice(to)
  }
  return { code, lines, mistakes }
}
