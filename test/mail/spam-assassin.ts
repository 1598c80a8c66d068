import { execFile } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { findProgram, type WantedProgram } from '../../src/machine/find-program.ts'
import type { Finding } from './finding.ts'
import type { Mail } from './mail.ts'

const GATE = 'SpamAssassin, score'
const MOST = 0.1
/** Rules that every HTML email matches. */
const HARMLESS = ['HTML_MESSAGE', 'MSGID_SHORT', 'none']

export const spamassassin: WantedProgram = {
  names: ['spamassassin'],
  packageName: { 'apt-get': 'spamassassin', dnf: 'spamassassin', apk: 'spamassassin', brew: 'spamassassin' },
  purpose: 'the spam check of emails',
}

/**
 * The score of each email by the rules that ship with SpamAssassin, without network or learning, so it is the same every
 * day. Each process reads many emails, since its start takes longer than ten of them; `atOnce` processes run in parallel.
 * Throws an error with the command line that installs SpamAssassin if it is missing.
 */
export async function spamScores(mails: readonly Mail[], atOnce = 2): Promise<Finding[]> {
  const program = findProgram(spamassassin)
  const folder = await mkdtemp(join(tmpdir(), 'spamassassin-'))
  try {
    await writeSettings(join(folder, 'site'))
    const files = mails.map((_, index) => join(folder, `${index}.eml`))
    await Promise.all(files.map((file, index) => writeFile(file, received(mails[index], index))))
    const share = Math.ceil(files.length / atOnce)
    const runs = Array.from({ length: atOnce }, (_, n) => files.slice(n * share, (n + 1) * share))
    const outputs = await Promise.all(runs.map((some) => run(program, folder, some)))
    const verdicts = new Map(outputs.flatMap(verdictsIn))
    return mails.map((mail, index) => finding(mail, verdicts.get(index)))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

type Verdict = { score: number; rules: string[] }

function finding(mail: Mail, verdict: Verdict | undefined): Finding {
  const limits = { gate: GATE, mail: mail.name, limit: MOST }
  if (!verdict) return { ...limits, figure: Number.POSITIVE_INFINITY, faults: ['SpamAssassin gave no score'] }
  const faults = verdict.rules.filter((rule) => !HARMLESS.includes(rule.split('=')[0] ?? ''))
  if (verdict.score > MOST && faults.length === 0) faults.push(`score ${verdict.score}`)
  return { ...limits, figure: verdict.score, faults }
}

async function writeSettings(site: string): Promise<void> {
  await mkdir(site)
  for (const place of ['/etc/spamassassin', '/etc/mail/spamassassin']) {
    const files = await readdir(place).catch(() => [])
    for (const file of files.filter((name) => name.endsWith('.pre')))
      await copyFile(join(place, file), join(site, file))
  }
  await writeFile(
    join(site, 'local.cf'),
    [
      'skip_rbl_checks 1',
      'dns_available no',
      'use_bayes 0',
      'bayes_auto_learn 0',
      'use_razor2 0',
      'use_pyzor 0',
      'report_safe 0',
      'clear_headers',
      'fold_headers 0',
      'add_header all Status "score=_SCORE_ tests=_TESTSSCORES(;)_"',
      '',
    ].join('\n'),
  )
}

/** The email as received from outside. Uses a real-looking IP address: one reserved for examples would count as spam. */
function received(mail: Mail | undefined, index: number): Buffer {
  const hop = [
    'Return-Path: <bounce@mail.sample.test>',
    'Received: from out.sample.net (out.sample.net [54.240.11.27])',
    '\tby mx.sample.org (Postfix) with ESMTPS id 4XyZ',
    '\tfor <ada@sample.test>; Mon, 30 Nov 2026 14:00:02 +0000 (UTC)',
    `X-Gate-Mail: ${index}`,
    '',
  ]
  return Buffer.concat([Buffer.from(hop.join('\r\n')), mail?.eml ?? Buffer.alloc(0)])
}

async function run(program: string, folder: string, files: readonly string[]): Promise<string> {
  if (files.length === 0) return ''
  const flags = ['--local', '--nocreate-prefs', `--siteconfigpath=${folder}/site`, '--prefs-file=/dev/null']
  const { stdout } = await promisify(execFile)(program, [...flags, ...files], {
    // Without a seed, the order of Perl's hashes differs in each run.
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      TZ: 'UTC',
      LC_ALL: 'C',
      PERL_HASH_SEED: '0',
      PERL_PERTURB_KEYS: '0',
    },
    maxBuffer: 500_000_000,
    encoding: 'latin1',
    timeout: 300_000,
  })
  return stdout
}

function verdictsIn(output: string): [number, Verdict][] {
  const found = output.matchAll(
    /^X-Spam-Status: score=(\S+) tests=(\S*)$(?:(?!^X-Spam-Status)[^])*?^X-Gate-Mail: (\d+)/gm,
  )
  return [...found].map(([, score, tests = '', index]) => [
    Number(index),
    { score: Number(score), rules: tests.split(';').filter((rule) => rule !== '') },
  ])
}
