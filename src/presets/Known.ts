/**
 * The providers that are known, and how one of them is found.
 *
 * @since 0.1.0
 */
import type { Preset } from "./Preset.ts"
import { openAi } from "./providers/OpenAi.ts"
import { anthropic } from "./providers/Anthropic.ts"
import { gitHub } from "./providers/GitHub.ts"
import { stripe } from "./providers/Stripe.ts"
import { shopify } from "./providers/Shopify.ts"
import { slack } from "./providers/Slack.ts"
import { discord } from "./providers/Discord.ts"
import { gemini } from "./providers/Gemini.ts"
import { azureOpenAi } from "./providers/AzureOpenAi.ts"
import { notion } from "./providers/Notion.ts"
import { airtable } from "./providers/Airtable.ts"
import { hubSpot } from "./providers/HubSpot.ts"
import { twilio } from "./providers/Twilio.ts"
import { sendGrid } from "./providers/SendGrid.ts"
import { mailgun } from "./providers/Mailgun.ts"
import { resend } from "./providers/Resend.ts"
import { salesforce } from "./providers/Salesforce.ts"
import { zendesk } from "./providers/Zendesk.ts"
import { atlassian } from "./providers/Atlassian.ts"
import { linear } from "./providers/Linear.ts"
import { okta } from "./providers/Okta.ts"
import { auth0 } from "./providers/Auth0.ts"
import { twitch } from "./providers/Twitch.ts"
import { spotify } from "./providers/Spotify.ts"
import { reddit } from "./providers/Reddit.ts"
import { x } from "./providers/X.ts"
import { microsoftGraph } from "./providers/MicrosoftGraph.ts"
import { dropbox } from "./providers/Dropbox.ts"
import { zoom } from "./providers/Zoom.ts"
import { intercom } from "./providers/Intercom.ts"
import { mistral } from "./providers/Mistral.ts"
import { groq } from "./providers/Groq.ts"
import { cohere } from "./providers/Cohere.ts"
import { cloudflare } from "./providers/Cloudflare.ts"
import { vercel } from "./providers/Vercel.ts"
import { gitLab } from "./providers/GitLab.ts"
import { bitbucket } from "./providers/Bitbucket.ts"
import { dockerHub } from "./providers/DockerHub.ts"
import { amazonSpApi } from "./providers/AmazonSpApi.ts"
import { eBay } from "./providers/EBay.ts"
import { payPal } from "./providers/PayPal.ts"
import { square } from "./providers/Square.ts"
import { klaviyo } from "./providers/Klaviyo.ts"
import { mailchimp } from "./providers/Mailchimp.ts"
import { asana } from "./providers/Asana.ts"
import { clickUp } from "./providers/ClickUp.ts"
import { monday } from "./providers/Monday.ts"
import { figma } from "./providers/Figma.ts"
import { webflow } from "./providers/Webflow.ts"
import { supabase } from "./providers/Supabase.ts"
import { openRouter } from "./providers/OpenRouter.ts"

/**
 * One for each provider that is known.
 *
 * @category constants
 * @since 0.1.0
 */
export const all: ReadonlyArray<Preset> = [
  openAi,
  anthropic,
  gitHub,
  stripe,
  shopify,
  slack,
  discord,
  gemini,
  azureOpenAi,
  notion,
  airtable,
  hubSpot,
  twilio,
  sendGrid,
  mailgun,
  resend,
  salesforce,
  zendesk,
  atlassian,
  linear,
  okta,
  auth0,
  twitch,
  spotify,
  reddit,
  x,
  microsoftGraph,
  dropbox,
  zoom,
  intercom,
  mistral,
  groq,
  cohere,
  cloudflare,
  vercel,
  gitLab,
  bitbucket,
  dockerHub,
  amazonSpApi,
  eBay,
  payPal,
  square,
  klaviyo,
  mailchimp,
  asana,
  clickUp,
  monday,
  figma,
  webflow,
  supabase,
  openRouter
]

/**
 * What is read of an answer by whoever is not known: the common headers, and nothing that needs a body.
 *
 * @category constants
 * @since 0.1.0
 */
export const generic: Preset = {
  name: "generic",
  title: "Any other host",
  hosts: []
}

/**
 * The preset of a name.
 *
 * @category accessors
 * @since 0.1.0
 */
export const named = (name: string, known: ReadonlyArray<Preset> = all): Preset | undefined =>
  [...known, generic].find((preset) => preset.name === name)

/**
 * The preset that knows a host: `api.example.com`, with a port or as a URL. The most specific name decides, and of two
 * that are equal the first.
 *
 * @category accessors
 * @since 0.1.0
 */
export const forHost = (host: string, known: ReadonlyArray<Preset> = all): Preset | undefined => {
  const name = URL.parse(host.includes("://") ? host : `https://${host}`)?.hostname.replace(/\.$/, "")
  if (name === undefined) return undefined
  let best: { readonly preset: Preset; readonly rank: number } | undefined
  for (const preset of known) {
    for (const pattern of preset.hosts) {
      const rank = rankOf(pattern, name)
      if (rank > (best?.rank ?? 0)) best = { preset, rank }
    }
  }
  return best?.preset
}

/**
 * The presets that hold: those of yours first, then ours without what is off or replaced by one of yours.
 *
 * @category constructors
 * @since 0.1.0
 */
export const settle = ({ off = [], own = [] }: PresetOptions): ReadonlyArray<Preset> => [
  ...own,
  ...all.filter(({ name }) => !off.includes(name) && !own.some((preset) => preset.name === name))
]

/**
 * Which presets hold.
 *
 * @category models
 * @since 0.1.0
 */
export interface PresetOptions {
  /** Names of presets that shall not be used. Defaults to none. */
  readonly off?: ReadonlyArray<string> | undefined
  /** Presets of your own; one with the name of ours replaces it. Defaults to none. */
  readonly own?: ReadonlyArray<Preset> | undefined
}

/** How much of a name a pattern says; a whole name more than all of its patterns. */
const rankOf = (pattern: string, name: string): number => {
  if (!pattern.includes("*")) return pattern === name ? Infinity : 0
  const [before = "", after = ""] = pattern.split("*")
  const fits = name.length > before.length + after.length && name.startsWith(before) && name.endsWith(after)
  return fits ? pattern.length : 0
}
