import ts from "typescript"
import { type Source, walk } from "./Sources.ts"

/** Time and chance come from services, failure and waiting from Effect: each of these goes around them. */
export type Ban = "Date.now" | "new Date" | "Math.random" | "setTimeout" | "setInterval" | "async" | "try"

interface Exception {
  /** A file, or a folder with a trailing `/`. */
  readonly path: string
  readonly bans: ReadonlyArray<Ban>
  readonly because: string
}

const exceptions: ReadonlyArray<Exception> = [
  { path: "promise/", bans: ["async", "try"], because: "the facade's callers live in promises" },
  { path: "receive/", bans: ["async", "try"], because: "a fetch handler answers with a promise" },
  {
    path: "page/",
    bans: ["async", "try", "Date.now", "new Date", "setTimeout", "setInterval"],
    because: "it is a program for a browser, which runs no effects"
  },
  {
    path: "transport/UndiciTransport.ts",
    bans: ["try", "setTimeout"],
    because: "undici's dispatcher speaks in callbacks and throws from them"
  }
]

const banned = ["Date", "Math", "setTimeout", "setInterval"]

/** A global may be reached by its name or through `globalThis`; `x.setTimeout` of anything else is another matter. */
const globalName = (node: ts.Node): string | undefined => {
  const through = ts.isPropertyAccessExpression(node) || ts.isElementAccessExpression(node)
  if (through && node.expression.getText() === "globalThis") {
    const member = ts.isPropertyAccessExpression(node) ? node.name : node.argumentExpression
    const name = ts.isIdentifier(member) || ts.isStringLiteralLike(member) ? member.text : undefined
    return name !== undefined && banned.includes(name) ? name : undefined
  }
  return ts.isIdentifier(node) && banned.includes(node.text) ? node.text : undefined
}

const memberOf = (node: ts.Node, owner: string): string | undefined => {
  const isAccess = ts.isPropertyAccessExpression(node) || ts.isElementAccessExpression(node)
  if (!isAccess || globalName(node.expression) !== owner) return undefined
  const member = ts.isPropertyAccessExpression(node) ? node.name : node.argumentExpression
  return ts.isIdentifier(member) || ts.isStringLiteralLike(member) ? member.text : undefined
}

/** A timer counts wherever its name is used as a value (handed on, renamed, called), not as a member or label. */
const timer = (node: ts.Node): Ban | undefined => {
  const name = globalName(node)
  if (name !== "setTimeout" && name !== "setInterval") return undefined
  if (!ts.isIdentifier(node)) return name
  const parent = node.parent
  const isMember = ts.isPropertyAccessExpression(parent) && parent.name === node
  const isLabel =
    (ts.isPropertyAssignment(parent) || ts.isPropertySignature(parent) || ts.isMethodSignature(parent)) &&
    parent.name === node
  return isMember || isLabel ? undefined : name
}

const banOf = (node: ts.Node): Ban | undefined => {
  if (memberOf(node, "Date") === "now") return "Date.now"
  if (memberOf(node, "Math") === "random") return "Math.random"
  if ((ts.isNewExpression(node) || ts.isCallExpression(node)) && globalName(node.expression) === "Date") {
    return "new Date"
  }
  if (ts.isTryStatement(node)) return "try"
  if (node.kind === ts.SyntaxKind.AsyncKeyword || node.kind === ts.SyntaxKind.AwaitKeyword) return "async"
  if (ts.isAwaitExpression(node)) return "async"
  return timer(node)
}

const isExcepted = (path: string, ban: Ban): boolean =>
  exceptions.some(
    (exception) =>
      exception.bans.includes(ban) &&
      (exception.path.endsWith("/") ? path.startsWith(exception.path) : path === exception.path)
  )

export const bansBroken = (sources: ReadonlyArray<Source>): ReadonlyArray<string> =>
  sources.flatMap(({ path, tree }) => {
    const found: Array<string> = []
    walk(tree, (node) => {
      const ban = banOf(node)
      if (ban === undefined || isExcepted(path, ban)) return
      found.push(`${path}:${tree.getLineAndCharacterOfPosition(node.getStart(tree)).line + 1} uses ${ban}`)
    })
    return found
  })
