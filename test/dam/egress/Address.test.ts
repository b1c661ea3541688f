import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as NetAddress from "effect/net/NetAddress"
import * as Schema from "effect/Schema"
import { type AddressKind, kindOf } from "../../../src/dam/egress/Address.ts"

const edges: ReadonlyArray<readonly [AddressKind, ReadonlyArray<string>]> = [
  // the first and last address of each range, and their neighbours outside
  ["special", ["0.0.0.0", "0.255.255.255", "100.64.0.0", "100.127.255.255", "169.254.0.0", "169.254.255.255"]],
  ["special", ["192.0.0.0", "192.0.0.255", "192.0.2.0", "192.0.2.255", "192.88.99.0", "192.88.99.255"]],
  ["special", ["198.18.0.0", "198.19.255.255", "198.51.100.0", "198.51.100.255", "203.0.113.0", "203.0.113.255"]],
  ["special", ["224.0.0.0", "239.255.255.255", "240.0.0.0", "255.255.255.255", "168.63.129.16"]],
  ["private", ["10.0.0.0", "10.255.255.255", "127.0.0.0", "127.255.255.255", "172.16.0.0", "172.31.255.255"]],
  ["private", ["192.168.0.0", "192.168.255.255", "::1", "fc00::", "fdff:ffff::1", "fd00:ec1:ffff::1", "fd00:ec3::"]],
  ["public", ["1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0"]],
  ["public", ["168.63.129.15", "168.63.129.17", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0"]],
  ["public", ["191.255.255.255", "192.0.1.0", "192.0.1.255", "192.0.3.0", "192.88.98.255", "192.88.100.0"]],
  ["public", ["192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "198.51.99.255", "198.51.101.0"]],
  ["public", ["203.0.112.255", "203.0.114.0", "223.255.255.255"]],
  [
    "public",
    ["2000::", "2001:200::", "2001:db7:ffff::1", "2001:db9::", "2003::", "3ffe:ffff::1", "3fff:1000::", "3fff:f000::1"]
  ],
  ["special", ["::", "1fff:ffff::1", "2001:1::1", "2001:20::1", "2001:1ff:ffff::1", "2001:db8::", "2001:db8:ffff::1"]],
  [
    "special",
    ["3fff::", "3fff:fff:ffff::1", "4000::", "5f00::1", "100::1", "fbff::1", "fe00::1", "fe80::1", "fec0::1", "ff02::1"]
  ],
  ["special", ["fd00:ec2::254", "fd00:ec2:ffff::1", "fd20:ce::254"]],
  ["embedded", ["::2", "::127.0.0.1", "::8.8.8.8", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:0:8.8.8.8"]],
  [
    "embedded",
    [
      "64:ff9b::8.8.8.8",
      "64:ff9b:1::a00:1",
      "64:ff9b:1:ffff::1",
      "2001::1",
      "2001:0:ffff::1",
      "2002::",
      "2002:7f00:1::"
    ]
  ],
  ["embedded", ["2606:4700::5efe:7f00:1", "2606:4700::200:5efe:7f00:1", "fe80::5efe:a9fe:a9fe"]],
  ["public", ["2606:4700::100:5efe:7f00:1", "2606:4700::5eff:7f00:1", "2606:4700:4700::1111"]]
]

const cases = edges.flatMap(([kind, addresses]) => addresses.map((address) => ({ kind, address })))
const Byte = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 255 }))
const Octets = Arbitrary.array(Arbitrary.schema(Byte), { minLength: 4, maxLength: 4 })

describe("kinds of addresses", () => {
  it.each(cases)("$address is $kind", ({ address, kind }) => {
    assert.strictEqual(kindOf(NetAddress.ipFromStringUnsafe(address)), kind)
  })

  it.prop("no IPv4 address becomes callable by being wrapped in an IPv6 one", [Octets], ([octets]) => {
    const [a = 0, b = 0, c = 0, d = 0] = octets
    const high = (a * 256 + b).toString(16)
    const low = (c * 256 + d).toString(16)
    const wrapped = [
      `::ffff:${high}:${low}`,
      `::ffff:0:${high}:${low}`,
      `64:ff9b::${high}:${low}`,
      `2002:${high}:${low}::1`,
      `2001:0:1:2:3:4:${high}:${low}`,
      `2606:4700::5efe:${high}:${low}`
    ]
    for (const text of wrapped) assert.strictEqual(kindOf(NetAddress.ipFromStringUnsafe(text)), "embedded", text)
  })
})
