import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { settingNames } from '../config.ts'

/** The settings of the invented practice, which emails through the inbox at `resend`. */
export function demoSettings(
  folder: string,
  { port, operatorPort }: { port: number; operatorPort: number },
  resend: string,
) {
  return {
    DATABASE_PATH: join(folder, 'demo.db'),
    RESEND_API_KEY: `re_demo_${randomBytes(12).toString('hex')}`,
    RESEND_BASE_URL: resend,
    RESEND_REQUESTS_PER_SECOND: '1', // slow enough to watch
    RESEND_WEBHOOK_SECRET: `whsec_${randomBytes(32).toString('base64')}`,
    MAIL_FROM: 'Harbor Groups <groups@mail.harbor.test>',
    MAIL_REPLY_TO: 'hello@harbor.test',
    POSTAL_ADDRESS: 'Harbor Groups, 12 Quay Street, Portland, ME 04101',
    PUBLIC_URL: `http://127.0.0.1:${port}`,
    PORT: String(port),
    OPERATOR_PORT: String(operatorPort),
    LINK_SECRET: randomBytes(32).toString('base64'),
    LOG_LEVEL: 'warn',
  }
}

/** Exports every setting, also empty ones, so that none comes from another installation's `.env`. */
export function asShell(settings: Readonly<Record<string, string>>): string {
  return settingNames()
    .map((name) => `export ${name}=${quoted(settings[name] ?? '')}\n`)
    .join('')
}

/** A word of the shell that means exactly this text. */
export const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`
