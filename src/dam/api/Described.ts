/**
 * The description of the API as generators of clients and people read it: what Effect makes of the routes, put into the
 * plainest words of OpenAPI.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { defaults } from "../intake/Limits.ts"

/** The routes, group by group, as `HttpApi` holds them. */
export interface Routes {
  readonly groups: Readonly<Record<string, { readonly endpoints: Readonly<Record<string, Route>> }>>
}

interface Route {
  readonly method: string
  readonly path: string
  readonly query: Schema.Constraint | undefined
}

type Json = Schema.Json
type Tree = Schema.JsonObject

/** Makes the change of a description of these routes. */
export const described =
  (routes: Routes) =>
  (made: Tree): Tree => {
    const components = treeAt(made, "components")
    const schemas = treeAt(components, "schemas")
    const plain = (json: Json) => plainly(json, schemas)
    const shapes = Object.fromEntries(
      Object.entries(schemas)
        .filter(([, schema]) => !isAlias(schema))
        .map(([name, schema]) => [name, plain(schema)] as const)
    )
    const asked = reached(plain(treeAt(made, "paths")), shapes)
    return {
      ...made,
      paths: Object.fromEntries(
        Object.entries(treeAt(made, "paths")).map(([path, item]) => [
          path,
          mapTree(item, (operation, method) => operationOf(plain(operation), queryOf(routes, method, path)))
        ])
      ),
      components: {
        ...components,
        schemas: Object.fromEntries(
          Object.entries(shapes).map(([name, schema]) => [
            name,
            asked.has(name) ? limited(name, schema) : withoutEnd(schema)
          ])
        ),
        securitySchemes: {
          bearer: {
            type: "http",
            scheme: "bearer",
            description: "A key of the dam. A dam without keys asks for none, and serves its own machine only."
          }
        }
      }
    }
  }

/** Whoever shows a key is let in; a dam without keys lets everybody in. */
const keyed: Json = [{ bearer: [] }, {}]

const operationOf = (operation: Json, query: Tree): Json => {
  if (!isTree(operation)) return operation
  const { parameters, responses, tags } = operation
  const isKeyed = isTree(responses) && ("401" in responses || JSON.stringify(tags) === '["Proxy"]')
  return {
    ...operation,
    security: isKeyed ? keyed : [],
    parameters: listOf(parameters).map((parameter) =>
      mapTree(parameter, (value, key) =>
        key === "schema" && isTree(parameter) && parameter["in"] === "query"
          ? (query[String(parameter["name"])] ?? value)
          : value
      )
    ),
    responses: mapTree(responses, withoutEnd)
  }
}

/** What a query holds once it is read: numbers are numbers, though they travel as text. */
const queryOf = ({ groups }: Routes, method: string, path: string): Tree => {
  const endpoint = Object.values(groups)
    .flatMap((group) => Object.values(group.endpoints))
    .find((one) => one.method.toLowerCase() === method && one.path.replaceAll(/:(\w+)/g, "{$1}") === path)
  if (endpoint?.query === undefined) return {}
  const { schema } = Schema.toJsonSchemaDocument(Schema.toType(endpoint.query))
  return mapTree(treeAt(toTree(schema), "properties"), (value) => plainly(value, {}))
}

/** Says in one word what several say together, calls things by their own names, and leaves out what only Effect reads. */
const plainly = (json: Json, schemas: Tree): Json => {
  if (Array.isArray(json)) return json.map((one: Json) => plainly(one, schemas))
  if (!isTree(json)) return json
  const alias = typeof json["$ref"] === "string" ? schemas[nameIn(json["$ref"])] : undefined
  if (isAlias(alias)) return alias
  const { "x-effect-stream": stream, ...rest } = json
  if (stream !== undefined)
    return { schema: { type: "string", description: "Events, one JSON object as the data of each" } }
  const { allOf, anyOf, ...own } = mapTree(rest, (value) => plainly(value, schemas))
  if (Array.isArray(allOf))
    return plainly(
      allOf.reduce((all: Tree, one: Json) => ({ ...all, ...toTree(one) }), own),
      schemas
    )
  if (Array.isArray(anyOf)) return { ...own, ...alternatives(anyOf) }
  // without a word, a generator may take a number of half the digits
  return own["type"] === "number" ? { ...own, format: "double" } : own
}

/** A value or null is a value of two types; an object or null stays two, which is how generators know both. */
const alternatives = (anyOf: ReadonlyArray<Json>): Tree => {
  const [value, none, ...more] = anyOf
  if (more.length > 0 || !isTree(value) || !isTree(none) || none["type"] !== "null") return { anyOf }
  if (typeof value["type"] !== "string" || value["type"] === "object") return { anyOf }
  return {
    ...value,
    type: [value["type"], "null"],
    ...(Array.isArray(value["enum"]) ? { enum: [...value["enum"], null] } : {})
  }
}

/** A newer dam says more in its answers: no client may take offence. */
const withoutEnd = (json: Json): Json => {
  if (Array.isArray(json)) return json.map(withoutEnd)
  if (!isTree(json)) return json
  const { additionalProperties, ...rest } = mapTree(json, withoutEnd)
  return additionalProperties === undefined || additionalProperties === false ? rest : { ...rest, additionalProperties }
}

/** The names of what is sent in bodies, and of all that stands in it. */
const reached = (paths: Json, schemas: Tree): ReadonlySet<string> => {
  const names = new Set<string>()
  const look = (json: Json, isBody: boolean): void => {
    if (Array.isArray(json)) return json.forEach((one: Json) => look(one, isBody))
    if (!isTree(json)) return
    for (const [key, value] of Object.entries(json)) {
      if (isBody && key === "$ref" && typeof value === "string" && !names.has(nameIn(value))) {
        names.add(nameIn(value))
        look(schemas[nameIn(value)] ?? null, true)
      } else look(value, isBody || key === "requestBody")
    }
  }
  look(paths, false)
  return names
}

/** The limits of intake as they are unless an operator sets others; `/health` has those that hold. */
const limited = (name: string, schema: Json): Json => {
  const properties = treeAt(toTree(schema), "properties")
  if (name !== "Job" && name !== "FallbackJob") return schema
  const at = (key: string, more: Tree) => ({ [key]: { ...treeAt(properties, key), ...more } })
  const retries = { maximum: defaults.retries, format: "int32" }
  const policy = treeAt(properties, "retry_policy")
  return {
    ...toTree(schema),
    properties: {
      ...properties,
      ...at("url", { maxLength: defaults.urlBytes, format: "uri" }),
      ...at("headers", { maxProperties: defaults.jobHeaders }),
      ...at("webhooks", { maxItems: defaults.webhooks }),
      ...at("regions", { maxItems: defaults.regions }),
      ...at("webhook_quorum", { maximum: defaults.webhooks, format: "int32" }),
      retry_policy: {
        ...policy,
        properties: mapTree(treeAt(policy, "properties"), (value, key) =>
          key.startsWith("max_") ? { ...toTree(value), ...retries } : value
        )
      }
    }
  }
}

const nameIn = (ref: string): string => ref.slice(ref.lastIndexOf("/") + 1)

const isAlias = (schema: Json | undefined): schema is Tree =>
  schema !== undefined && isTree(schema) && "$ref" in schema && Object.keys(schema).length === 1

const isTree = (json: Json | undefined): json is Tree =>
  typeof json === "object" && json !== null && !Array.isArray(json)

const toTree = (json: unknown): Tree => (isTree(json as Json) ? (json as Tree) : {})

const treeAt = (tree: Tree, key: string): Tree => toTree(tree[key])

const listOf = (json: Json | undefined): ReadonlyArray<Json> => (Array.isArray(json) ? json : [])

const mapTree = (json: Json | undefined, change: (value: Json, key: string) => Json): Tree =>
  isTree(json) ? Object.fromEntries(Object.entries(json).map(([key, value]) => [key, change(value, key)])) : {}
