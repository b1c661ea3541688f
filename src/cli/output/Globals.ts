/** Flags that many commands share. */
import * as Flag from "effect/cli/Flag"
import * as GlobalFlag from "effect/cli/GlobalFlag"

export const Json = GlobalFlag.Setting("json")({
  flag: Flag.Boolean("json").pipe(
    Flag.withoutNegation,
    Flag.withDescription("Print JSON for programs instead of text for people"),
    Flag.withDefault(false)
  )
})

/** Read by whoever prints an error, after the command has ended. */
export const Verbose = GlobalFlag.Setting("verbose")({
  flag: Flag.Boolean("verbose").pipe(
    Flag.withoutNegation,
    Flag.withDescription("Say more: details of an error, where settings come from"),
    Flag.withDefault(false)
  )
})

export const Url = GlobalFlag.Setting("url")({
  flag: Flag.String("url").pipe(
    Flag.withMetavar("URL"),
    Flag.withDescription("The dam or service to talk to; or EZTHROTTLE_DAM_URL, EZTHROTTLE_URL"),
    Flag.optional
  )
})

export const ApiKey = GlobalFlag.Setting("api-key")({
  flag: Flag.Redacted("api-key").pipe(
    Flag.withMetavar("KEY"),
    Flag.withDescription("Key to call it with; better in EZTHROTTLE_API_KEY, because others see command lines"),
    Flag.optional
  )
})

/** Of every command. */
export const everywhere = [Json, Verbose] as const

/** Of every command that talks to a service. */
export const service = [Url, ApiKey] as const
