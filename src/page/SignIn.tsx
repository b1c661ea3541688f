/** Where the dam has keys, one of them opens the page. */
import { useState } from "preact/hooks"
import { Session } from "../dam/api/SystemShapes.ts"
import { ask } from "./Api.ts"
import { Failed } from "./Parts.tsx"

export const SignIn = ({ done }: { readonly done: () => void }) => {
  const [key, setKey] = useState("")
  const [problem, setProblem] = useState<string>()
  const signIn = async () => {
    try {
      await ask(Session, "/session", { body: { api_key: key } })
      done()
    } catch (cause) {
      setProblem(cause instanceof Error ? cause.message : String(cause))
    }
  }
  const submit = (event: Event) => {
    event.preventDefault()
    void signIn()
  }
  return (
    <main id="main" class="sign-in">
      <h1>EZThrottle dam</h1>
      <form onSubmit={submit}>
        <label>
          API key
          <input
            type="password"
            autocomplete="current-password"
            required
            autofocus
            value={key}
            onInput={(event) => setKey(event.currentTarget.value)}
          />
        </label>
        <button type="submit">Sign in</button>
        <Failed problem={problem} />
      </form>
    </main>
  )
}
