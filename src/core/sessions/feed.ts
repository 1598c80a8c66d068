import Handlebars from 'handlebars'
import type { Translator } from '../words/words.ts'

/** What is new, for feed readers. `updated` is the last change of any session; `publicUrl` has no slash at its end. */
export type Feed = { practice: string; publicUrl: string; updated: Date; entries: readonly FeedEntry[] }

/** One bookable session, newest news first. `url` is a page on our host. */
export type FeedEntry = {
  sessionId: number
  title: string
  topic: string
  text: string
  url: string
  updated: Date
}

/** The feed as Atom (RFC 4287). Ids are `tag:` URIs (RFC 4151), so they stay the same if URLs change. */
export function atomFeed(
  { practice, publicUrl, updated, entries }: Feed,
  { t, language }: Translator,
): string {
  const tag = `tag:${new URL(publicUrl).hostname},2026:`
  const head = xml`<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="${language}">
  <id>${tag}sessions</id>
  <title>${t('page.feed.title', { practice })}</title>
  <updated>${updated.toISOString()}</updated>
  <author><name>${practice}</name></author>
  <link rel="self" type="application/atom+xml" href="${publicUrl}/feed.xml"/>
  <link rel="alternate" type="text/html" href="${publicUrl}/sessions"/>
`
  return `${head}${entries.map((entry) => entryXml(entry, tag)).join('')}</feed>\n`
}

const entryXml = (
  { sessionId, title, topic, text, url, updated }: FeedEntry,
  tag: string,
): string => xml`  <entry>
    <id>${tag}session-${String(sessionId)}</id>
    <title>${title}</title>
    <updated>${updated.toISOString()}</updated>
    <category term="${topic}"/>
    <link rel="alternate" type="text/html" href="${url}"/>
    <content type="text">${text}</content>
  </entry>
`

/** Escapes values, and drops the two characters that XML 1.0 forbids and `plain` keeps. */
function xml(parts: TemplateStringsArray, ...values: string[]): string {
  const escaped = values.map((value) => Handlebars.escapeExpression(value.replace(/[\ufffe\uffff]/g, '')))
  return String.raw({ raw: parts }, ...escaped)
}
