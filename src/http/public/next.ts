import type { FastifyReply } from 'fastify'
import type { App } from '../../app.ts'
import { signToken } from '../../core/tokens.ts'
import { basePath } from './pages.ts'

type Needs = Pick<App, 'config'>

/** The one button of a page that says only what was done: where most people want to go from there. */
export type Next = { url: string; text: string }

export const toTimes = ({ config }: Needs, { translator }: FastifyReply): Next => ({
  url: `${basePath(config)}/sessions`,
  text: translator.t('page.next.times'),
})

export const toJoin = ({ config }: Needs, { translator }: FastifyReply): Next => ({
  url: `${basePath(config)}/`,
  text: translator.t('page.next.join'),
})

/** To the preferences of a subscriber. Never for an id from before a renewal: a link with it may be in a stranger's hands. */
export const toPreferences = ({ config }: Needs, { translator }: FastifyReply, publicId: string): Next => ({
  url: preferencesUrl({ config }, publicId),
  text: translator.t('page.next.preferences'),
})

export const preferencesUrl = ({ config }: Needs, publicId: string): string => {
  const [secret = ''] = config.LINK_SECRET
  return `${basePath(config)}/preferences/${encodeURIComponent(signToken(secret, 'preferences', publicId))}`
}
