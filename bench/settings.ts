// The instant at which the bench started, for all of its processes. The program itself knows no other time than now.
process.env.BENCH_SLOT ??= new Date().toISOString()
const at = new Date(process.env.BENCH_SLOT)

/** The edition that every contender sends: the one that `edition send` plans now. */
export const SLOT = { editionId: localDate(at), at }

/** The local date in New York, the zone of the installation, `days` after the slot: `2026-11-23`. */
export const dateAfterSlot = (days: number): string => localDate(new Date(at.getTime() + days * 86_400_000))

function localDate(instant: Date): string {
  return new Intl.DateTimeFormat('en-CA', { timeZone: 'America/New_York' }).format(instant)
}

/** A clock that shows the slot at the instant `since` (ms since the epoch), so that every run makes the same emails. */
export function clockFromSlot(since = Date.now()): () => Date {
  return () => new Date(SLOT.at.getTime() + Date.now() - since)
}

/** The settings of the installation in `file`, which submits to `providerUrl`, as environment variables. */
export function benchEnvironment(file: string, providerUrl: string, rate: string): Record<string, string> {
  return {
    DATABASE_PATH: file,
    RESEND_API_KEY: 're_bench',
    RESEND_BASE_URL: providerUrl,
    RESEND_REQUESTS_PER_SECOND: rate,
    MAIL_FROM: 'Harbor Groups <groups@mail.harbor.test>',
    MAIL_REPLY_TO: 'hello@harbor.test',
    POSTAL_ADDRESS: 'Harbor Groups, 12 Quay Street, Portland, ME 04101',
    PUBLIC_URL: 'https://groups.harbor.test',
    LINK_SECRET: 'a link secret for the bench that is long enough',
  }
}
