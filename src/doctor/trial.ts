import type { Config } from '../config.ts'

const HERE = /^http:\/\/(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:|\/|$)/

/** Whether this can only be a trial: email goes to a stand-in on this machine, and its links open nowhere else. */
export function isTrial({ NODE_ENV, PUBLIC_URL, RESEND_BASE_URL }: Config): boolean {
  return NODE_ENV !== 'production' && HERE.test(PUBLIC_URL) && HERE.test(RESEND_BASE_URL ?? '')
}
