/**
 * Traces, metrics and logs over OTLP, as the standard `OTEL_*` variables of the environment ask for; nothing is sent and
 * nothing is made without an endpoint.
 */
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as Otlp from "effect/observability/Otlp"
import * as OtlpSerialization from "effect/observability/OtlpSerialization"
import { version } from "../../transport/Version.ts"

/** The standard's default for each signal; Effect's is none. */
const exporters = ConfigProvider.layerAdd(
  ConfigProvider.fromUnknown({
    OTEL_TRACES_EXPORTER: "otlp",
    OTEL_METRICS_EXPORTER: "otlp",
    OTEL_LOGS_EXPORTER: "otlp"
  })
)

/** What reports, where there is somebody to report to. */
export const layer: Layer.Layer<never> = Layer.unwrap(
  Effect.map(
    Effect.orDie(
      Config.all({
        protocol: Config.withDefault(Config.String("OTEL_EXPORTER_OTLP_PROTOCOL"), "http/protobuf"),
        name: Config.withDefault(Config.String("OTEL_SERVICE_NAME"), "ezthrottle-dam")
      })
    ),
    ({ name, protocol }) =>
      Layer.effectDiscard(Effect.void).pipe(
        Layer.provideMerge(
          Otlp.layerFromConfig({
            resource: { serviceName: name, serviceVersion: version },
            loggerMergeWithExisting: true
          })
        ),
        Layer.provide(protocol === "http/json" ? OtlpSerialization.layerJson : OtlpSerialization.layerProtobuf),
        Layer.provide(FetchHttpClient.layer),
        Layer.provide(exporters)
      )
  )
)
