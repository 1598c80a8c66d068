import { existsSync, readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import { BadInput } from './core/errors.ts'
import { exampleSettings } from './core/example-settings.ts'
import { normalizeEmail } from './core/intake/email-address.ts'
import { phoneLink } from './core/intake/phone.ts'
import { formatMailbox, parseMailbox } from './core/mail/mailbox.ts'
import { DEFAULT_BRAND_COLOR, paletteFrom, problemOf } from './core/mail/palette.ts'
import { guessable, guessableKey, NEW_SECRET } from './core/secrets.ts'
import { isTimeZone } from './core/time/calendar.ts'
import { LONGEST_UNSUBSCRIBE_NAME } from './core/tokens.ts'
import { CRISIS_LINES } from './core/words/crisis.ts'

/** All settings, checked and with their defaults; see `.env.example` and docs/settings.md. */
export type Config = z.infer<typeof Settings>

type Environment = Record<string, string | undefined>

const SECRETS = [
  'RESEND_API_KEY',
  'RESEND_WEBHOOK_SECRET',
  'LINK_SECRET',
  'DATABASE_URL',
  'REDIS_URL',
  'METRICS_TOKEN',
]
const WEEKDAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'] as const
const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/

/**
 * Reads the settings out of an environment (`process.env`, after `.env`).
 * Throws `BadInput` that lists every problem at once: the variable, what is wrong, and an example that works.
 */
export function loadConfig(env: Environment): Config {
  const { values, unreadable, problems } = withSecretsFromFiles(env)
  const result = Settings.safeParse(values)
  const issues = result.error?.issues.filter(({ path }) => !unreadable.includes(String(path[0]))) ?? []
  problems.push(...issues.map(describe), ...problemsInProduction(values))
  if (!result.success || problems.length > 0)
    throw new BadInput(`Fix these settings:\n${problems.map((p) => `  ${p}`).join('\n')}`)
  return result.data
}

/** The database in words: the file, or the server and the name there, without the password. */
export function databaseIn({ DATABASE_PATH, DATABASE_URL }: Config): string {
  if (DATABASE_URL === undefined) return resolve(DATABASE_PATH)
  const { host, pathname } = new URL(DATABASE_URL)
  return `${host}${pathname}`
}

/** The names of all settings, for the help text and for a test that the docs have each. */
export const settingNames = (): string[] => Object.keys(Settings.in.shape)

const text = (example: string) =>
  z
    .string({ error: `is missing, for example ${example}` })
    .trim()
    .min(1, `is empty, for example ${example}`)

const wholeNumber = (from: number, to: number, example: number) =>
  z.coerce
    .number({ error: `is not a number; for example ${example}` })
    .int(`is not a whole number; for example ${example}`)
    .min(from, `is under ${from}; for example ${example}`)
    .max(to, `is over ${to}; for example ${example}`)

const percentage = (example: number) =>
  z.coerce
    .number({ error: `is not a number; for example ${example}` })
    .min(0, `is under 0; for example ${example}`)
    .max(100, `is over 100; for example ${example}`)

const webAddress = (example: string) =>
  text(example)
    .refine(
      (value) => /^https?:\/\/[^/?#]+(\/[^?#]*)?$/.test(value) && URL.canParse(value),
      `is not a web address; for example ${example}`,
    )
    // Converted to ASCII, because it goes into headers.
    .transform((value) => new URL(value).href.replace(/\/+$/, ''))

const mailbox = (example: string) =>
  text(example).transform((value, context) => {
    const read = parseMailbox(value)
    if (read) return formatMailbox(read)
    context.addIssue({ code: 'custom', message: `is not an email address, for example ${example}` })
    return z.NEVER
  })

const isHops = (value: string): boolean => /^[1-9]$/.test(value)

function isNetwork(value: string): boolean {
  const [address = '', bits, ...more] = value.split('/')
  const family = isIP(address)
  if (family === 0 || more.length > 0) return false
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128))
}

function isLocale(value: string): boolean {
  try {
    return new Intl.Locale(value).language !== ''
  } catch {
    return false
  }
}

const senderName = (example: string) =>
  text(example)
    .max(60, `is longer than 60 characters; use a short name, for example ${example}`)
    .regex(/^[^\p{Cc}<>@]*$/u, `has a control character or one of < > @ in it; for example ${example}`)

const UNSUBSCRIBE_EXAMPLE = 'leave@in.your-practice.org'

function problemOfUnsubscribeAddress(value: string): string | null {
  const read = normalizeEmail(value)
  if ('problem' in read) return read.problem
  const [name = ''] = value.split('@')
  if (!/^[a-z\d.-]+$/i.test(name)) return 'may only have letters, digits, dots and dashes before the @'
  if (name.length > LONGEST_UNSUBSCRIBE_NAME)
    return `has more than ${LONGEST_UNSUBSCRIBE_NAME} characters before the @, where a token must fit behind them`
  return null
}

/** Browsers keep the cookie of a sign-in from plain http, except on this machine. */
function isOperatorOrigin(value: string): boolean {
  const url = URL.parse(value)
  if (url === null || url.pathname !== '/' || url.search || url.hash || url.username) return false
  return url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK.test(url.hostname))
}

const OWN_TEMPLATES = join(import.meta.dirname, '../templates')

const Settings = z
  .object({
    DATABASE_PATH: text('./data/openseat.db').default('./data/openseat.db'),
    DATABASE_URL: z
      .string()
      .refine(
        (value) => /^postgres(ql)?:\/\//.test(value) && URL.canParse(value),
        'is not a Postgres address; for example postgres://openseat:password@db.your-practice.org/openseat?sslmode=verify-full',
      )
      .optional(),
    REDIS_URL: z
      .string()
      .refine(
        (value) => /^rediss?:\/\//.test(value) && URL.canParse(value),
        'is not a Redis address; for example redis://localhost:6379 or rediss://user:password@host:6380/0',
      )
      .optional(),
    RESEND_API_KEY: text('re_123456789').refine(
      (value) => !/\s/.test(value),
      'has a space or line break in it; for example re_123456789',
    ),
    RESEND_BASE_URL: webAddress('http://127.0.0.1:4100').optional(),
    RESEND_WEBHOOK_SECRET: z
      .string()
      .refine(
        (value) => value.split(',').every((part) => part.trim().startsWith('whsec_')),
        'does not start with whsec_; copy the signing secret of the webhook from Resend, for example whsec_MfKQ9r8G',
      )
      .optional(),
    RESEND_REQUESTS_PER_SECOND: z
      .union([z.literal('auto'), z.coerce.number().int().min(1).max(1000)], {
        error: 'is neither "auto" nor a whole number from 1 to 1000; for example auto',
      })
      .default('auto'),
    MAIL_FROM: mailbox('Harbor Groups <groups@mail.your-practice.org>'),
    MAIL_REPLY_TO: mailbox('hello@your-practice.org').optional(),
    UNSUBSCRIBE_ADDRESS: text(UNSUBSCRIBE_EXAMPLE)
      .superRefine((value, context) => {
        const message = problemOfUnsubscribeAddress(value)
        if (message)
          context.addIssue({ code: 'custom', message: `${message}; for example ${UNSUBSCRIBE_EXAMPLE}` })
      })
      .transform((value) => value.toLowerCase())
      .optional(),
    POSTAL_ADDRESS: text('"Harbor Groups, 12 Quay Street, Portland, ME 04101"').refine(
      (value) => !/[\r\n]/.test(value),
      'has a line break in it; for example "Harbor Groups, 12 Quay Street, Portland, ME 04101"',
    ),
    PUBLIC_URL: webAddress('https://groups.your-practice.org'),
    LINK_SECRET: text(NEW_SECRET)
      .transform((value) => value.split(',').map((part) => part.trim()))
      .pipe(z.array(z.string().min(32, `is shorter than 32 characters; use ${NEW_SECRET}`)).min(1)),
    DISCREET_FROM_NAME: senderName('Weekly update').optional(),
    BRAND_NAME: z
      .string()
      .trim()
      .max(60, 'is longer than 60 characters; use a short name, for example Harbor Groups')
      .regex(/^[^\r\n<>"]*$/, 'has a line break or one of < > " in it; for example Harbor Groups')
      .optional(),
    BRAND_COLOR: z
      .string()
      .trim()
      .toLowerCase()
      .regex(/^#[0-9a-f]{6}$/, { error: 'is not a color, for example #0b5c4a', abort: true })
      .superRefine((value, context) => {
        const problem = problemOf(value)
        if (problem) context.addIssue({ code: 'custom', message: problem })
      })
      .default(DEFAULT_BRAND_COLOR),
    BRAND_LOGO_URL: z
      .string()
      .trim()
      .refine((value) => URL.canParse(value) && value.startsWith('https://'), {
        error: 'is not an https address; for example https://groups.your-practice.org/logo.png',
        abort: true,
      })
      .transform((value) => new URL(value).href)
      .optional(),
    PRACTICE_URL: z
      .string()
      .trim()
      .refine((value) => URL.canParse(value) && /^https:\/\/[^/]/.test(value), {
        error: 'is not an https address; for example https://www.your-practice.org',
        abort: true,
      })
      .transform((value) => new URL(value).href)
      .optional(),
    PRACTICE_PHONE: z
      .string()
      .trim()
      .max(40, 'is longer than 40 characters; for example +1 207-555-0143')
      .refine(
        (value) => phoneLink(value) !== null,
        'is not one phone number in digits; for example +1 207-555-0143',
      )
      .optional(),
    TEMPLATES_PATH: text('./templates').optional(),
    LOCALE: z
      .string()
      .trim()
      .refine(isLocale, 'is not a language tag (BCP 47); for example en, es or es-MX')
      .default('en'),
    CRISIS_LINE: z
      .enum(CRISIS_LINES, { error: `is not one of ${CRISIS_LINES.join(', ')}, for example us` })
      .default('us'),
    DIGEST_DAY: z
      .string()
      .trim()
      .toLowerCase()
      .pipe(z.enum(WEEKDAYS, { error: 'is not a day of the week; for example monday' }))
      .default('monday'),
    DIGEST_TIME: z
      .string()
      .regex(/^\d{2}:\d{2}$/, { error: 'is not a time; for example 09:00', abort: true })
      .refine(
        (value) => value >= '04:00' && value <= '23:00' && Number(value.slice(3)) < 60,
        'is not between 04:00 and 23:00, when the clocks never change; for example 09:00',
      )
      .default('09:00'),
    DIGEST_TIME_ZONE: z
      .string()
      .refine(isTimeZone, 'is not a time zone of the IANA list; for example America/New_York')
      .default('America/New_York'),
    DIGEST_CATCH_UP_HOURS: wholeNumber(0, 167, 48).default(48),
    REVIEW_HOURS: wholeNumber(0, 144, 24).default(24),
    APPROVAL: z
      .enum(['flagged', 'always', 'off'], {
        error: 'is not one of flagged, always, off; for example flagged',
      })
      .default('flagged'),
    DIGEST_MAX_SESSIONS: wholeNumber(1, 40, 15).default(15),
    RETENTION_DAYS: wholeNumber(60, 3650, 400).default(400),
    FIRST_WAVE: z
      .enum(['auto', 'off'], { error: 'is neither "auto" nor "off"; for example auto' })
      .default('auto'),
    BREAKER_BOUNCE_PERCENT: percentage(4).default(4),
    BREAKER_COMPLAINT_PERCENT: percentage(0.08).default(0.08),
    BREAKER_MIN_SUBMITTED: wholeNumber(1, 1_000_000, 200).default(200),
    HOST: text('127.0.0.1').default('127.0.0.1'),
    PORT: wholeNumber(0, 65_535, 3000).default(3000),
    TRUST_PROXY: z
      .string()
      .trim()
      .refine(
        (value) =>
          value === 'off' || isHops(value) || value.split(',').every((part) => isNetwork(part.trim())),
        'is neither "off", a number of proxies from 1 to 9, nor their addresses; for example 127.0.0.1 or 10.0.0.0/8',
      )
      .default('off'),
    METRICS_TOKEN: z
      .string()
      .regex(/^[\w.~+/=-]{16,}$/, `is not 16 letters and digits or more; for example ${NEW_SECRET}`)
      .optional(),
    OPERATOR_URL: z
      .string()
      .trim()
      .refine(isOperatorOrigin, {
        error:
          'is not https without a path (only on this machine may it be http); for example https://operators.your-practice.org',
        abort: true,
      })
      .transform((value) => new URL(value).origin)
      .optional(),
    OPERATOR_HOST: text('127.0.0.1').default('127.0.0.1'),
    OPERATOR_PORT: z
      .union([z.literal('off'), z.coerce.number().int().min(0).max(65_535)], {
        error: 'is neither "off" nor a port from 0 to 65535; for example 3001',
      })
      .default(3001),
    OPERATOR_IDLE_MINUTES: wholeNumber(5, 720, 30).default(30),
    METRICS_PORT: wholeNumber(0, 65_535, 9464).optional(),
    LOG_LEVEL: z
      .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], {
        error: 'is not one of fatal, error, warn, info, debug, trace, silent; for example info',
      })
      .default('info'),
    NODE_ENV: z
      .enum(['development', 'test', 'production'], {
        error: 'is not one of development, test, production; for example production',
      })
      .default('development'),
  })
  .superRefine(({ BRAND_LOGO_URL: logo, PUBLIC_URL }, context) => {
    // An image on another host would reveal to it who opens our emails.
    if (logo && URL.parse(logo)?.host !== URL.parse(PUBLIC_URL)?.host)
      context.addIssue({
        code: 'custom',
        path: ['BRAND_LOGO_URL'],
        message: `is not on the host of PUBLIC_URL, and readers would be seen by another; for example ${PUBLIC_URL}/logo.png`,
      })
  })
  .superRefine(({ UNSUBSCRIBE_ADDRESS, RESEND_WEBHOOK_SECRET }, context) => {
    const isSound = UNSUBSCRIBE_ADDRESS && problemOfUnsubscribeAddress(UNSUBSCRIBE_ADDRESS) === null
    if (isSound && !RESEND_WEBHOOK_SECRET)
      context.addIssue({
        code: 'custom',
        path: ['UNSUBSCRIBE_ADDRESS'],
        message:
          'needs RESEND_WEBHOOK_SECRET, or nobody reads what arrives there; set it, or leave UNSUBSCRIBE_ADDRESS unset',
      })
  })
  .superRefine(({ LOCALE, TEMPLATES_PATH }, context) => {
    if (!isLocale(LOCALE)) return // said already
    const { language } = new Intl.Locale(LOCALE)
    const folders = [OWN_TEMPLATES, ...(TEMPLATES_PATH === undefined ? [] : [TEMPLATES_PATH])]
    if (folders.some((folder) => existsSync(join(folder, `words/${language}.json`)))) return
    context.addIssue({
      code: 'custom',
      path: ['LOCALE'],
      message: `is ${LOCALE}, and there are no words in that language; for example en or es, or put words/${language}.json into the folder of TEMPLATES_PATH`,
    })
  })
  .transform((settings) => {
    const practice = settings.BRAND_NAME || parseMailbox(settings.MAIL_FROM)?.name || 'Group times'
    const weekday = WEEKDAYS.indexOf(settings.DIGEST_DAY) as 0 | 1 | 2 | 3 | 4 | 5 | 6
    return {
      ...settings,
      practice,
      /** The origin of the operators' pages. */
      operatorOrigin: settings.OPERATOR_URL ?? `http://127.0.0.1:${settings.OPERATOR_PORT}`,
      palette: paletteFrom(settings.BRAND_COLOR),
      /** When an edition is due. */
      slotRule: { weekday, time: settings.DIGEST_TIME, timeZone: settings.DIGEST_TIME_ZONE },
    }
  })

/**
 * Errors that only production has. Reads the settings as they were written, so that these errors are reported together with
 * the others.
 */
function problemsInProduction(values: Environment): string[] {
  if (values.NODE_ENV !== 'production') return []
  const problems: string[] = []
  const resend = addressOf(values.RESEND_BASE_URL)
  if (resend && !LOOPBACK.test(resend.hostname))
    problems.push(
      'RESEND_BASE_URL points away from this machine, which production refuses; leave it unset to use Resend, for example RESEND_BASE_URL=',
    )
  const pages = addressOf(values.PUBLIC_URL)
  if (pages && pages.protocol !== 'https:' && !LOOPBACK.test(pages.hostname))
    problems.push(
      'PUBLIC_URL is not https, which one-click unsubscribing needs; for example https://groups.your-practice.org',
    )
  // A stand-in on this machine emails no one.
  const examples = resend ? [] : exampleSettings(values)
  return [...problems, ...examples, ...weakSecrets(values)]
}

/** Checks only the first link secret, which signs: a weak old one must still be accepted behind its successor. */
function weakSecrets({ LINK_SECRET, RESEND_WEBHOOK_SECRET, METRICS_TOKEN }: Environment): string[] {
  const problems: string[] = []
  const [signing] = LINK_SECRET?.split(',') ?? []
  const link = signing && guessable(signing.trim())
  if (link)
    problems.push(
      `LINK_SECRET ${link}; use ${NEW_SECRET}, and put the one in use behind it: LINK_SECRET=new,old`,
    )
  const keys = RESEND_WEBHOOK_SECRET?.split(',').map((key) => guessableKey(key.trim())) ?? []
  const key = keys.find((why) => why !== null)
  if (key)
    problems.push(
      `RESEND_WEBHOOK_SECRET ${key}, and anyone could forge reports; copy the signing secret of the webhook from Resend, whsec_ and 32 characters or more`,
    )
  const token = METRICS_TOKEN && guessable(METRICS_TOKEN)
  if (token) problems.push(`METRICS_TOKEN ${token}; use ${NEW_SECRET}`)
  return problems
}

function addressOf(value = ''): URL | null {
  return URL.canParse(value) ? new URL(value) : null
}

function withSecretsFromFiles(env: Environment) {
  const problems: string[] = []
  const unreadable: string[] = []
  // Compose and most shells pass an unset variable as an empty one.
  const values: Environment = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''))
  for (const name of SECRETS) {
    const file = values[`${name}_FILE`]
    if (file === undefined) continue
    if (values[name] !== undefined)
      problems.push(`${name} is set twice, also as ${name}_FILE; keep one of them`)
    try {
      values[name] = readFileSync(file, 'utf8').trim()
    } catch {
      unreadable.push(name)
      problems.push(
        `${name}_FILE names ${file}, which cannot be read; check the path and who may read it, for example /run/secrets/${name.toLowerCase()}`,
      )
    }
  }
  return { values, unreadable, problems }
}

function describe({ path: [name, index], message }: z.core.$ZodIssue): string {
  return typeof index === 'number'
    ? `${String(name)} (secret ${index + 1}) ${message}`
    : `${String(name)} ${message}`
}
