import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { Browser } from 'playwright-core'
import { appearance } from '../mail/appearance.ts'
import { broken, complaints, soundMail, swap } from '../mail/broken.fixture.ts'
import { openBrowser } from '../mail/chromium.ts'
import { drawGallery } from '../mail/gallery.ts'
import { everyIngredients } from '../mail/ingredients.ts'
import type { Mail } from '../mail/mail.ts'
import { phoneFit } from '../mail/phone.ts'

let browser: Browser
let confirm: Mail
beforeAll(async () => {
  browser = await openBrowser()
  confirm = await soundMail('confirm')
}, 300_000)
afterAll(() => browser?.close())

const seen = async (mail: Mail) => complaints(await appearance(browser, [mail], 1))

test('everyone can read a sound email', async () => {
  expect(await seen(confirm)).toBe('')
})

const FAULTS: [what: string, words: string, complaint: RegExp][] = [
  ['pale words', '<p style="color:#ccc;background:#fff">pale</p>', /axe.*phone, light: color-contrast/],
  [
    'an image without words',
    '<img src="https://groups.sample.test/a.png" width="9" height="9">',
    /axe.*image-alt/,
  ],
  [
    'a bright box',
    '<p class="box" style="background:#fff;color:#000;height:90px">x</p>',
    /bright.*phone, dark: p.box/,
  ],
  ['a wide box', '<div style="width:900px">x</div>', /sideways.*580 pixels, 200 % zoom/],
  [
    'words that a phone does not show',
    '<style>@media (max-width:400px) { .wide { display:none } }</style><p class="wide">x</p>',
    /same words.*: desktop/,
  ],
  [
    'an element that one parser reads in another way',
    '<p>one<table><tr><td>two</td></tr>lost</table>',
    /second parser: the browser reads/,
  ],
  ['a picture from elsewhere', '<img src="https://pixel.test/1.gif" alt="">', /fetches nothing.*pixel\.test/],
]

// In one email, as each look of one takes a second.
test('every fault that a reader would see is reported', async () => {
  const words = FAULTS.map(([, words]) => words).join('')
  const mail = await broken(confirm, ({ html }) => ({ html: swap(html, '</body>', `${words}</body>`) }))
  const said = await seen(mail)
  expect(FAULTS.filter(([, , complaint]) => !complaint.test(said)).map(([what]) => what)).toEqual([])
})

test('a week of thirteen sessions is short on a phone, and a longer one is reported with its font', async () => {
  const week = await soundMail(
    'digest',
    everyIngredients().find(({ size }) => size === 'week'),
  )
  expect(complaints(await phoneFit(browser, [week]))).toBe('')
  const tall = await broken(week, ({ html }) => ({
    html: swap(html, '<h1', '<div style="height:300px">x</div><h1'),
  }))
  expect(complaints(await phoneFit(browser, [tall]))).toMatch(
    /2\d{3} pixels in \w+.*only \d of 4 sessions are on the first screen, in \w+/s,
  )
})

test('the gallery has a picture of each look, and a sheet with all of them', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'openseat-gallery-'))
  try {
    const pictures = await drawGallery(browser, folder, [confirm])
    expect(pictures.map(({ look }) => look)).toEqual([
      'phone, light',
      'phone, dark',
      'desktop, light',
      'desktop, dark',
    ])
    const sheet = await readFile(join(folder, 'index.html'), 'utf8')
    expect(pictures.filter(({ file }) => !sheet.includes(`src="${file}"`))).toEqual([])
    // Bytes 16 to 19 of a PNG are its width. A phone's screenshot has two pixels for each of its 375.
    const widths = await Promise.all(
      pictures.map(async ({ file }) => (await readFile(join(folder, file))).readUInt32BE(16)),
    )
    expect(widths).toEqual([750, 750, 1520, 1520])
    expect((await readFile(join(folder, 'sheet.png'))).readUInt32BE(16)).toBeGreaterThan(800)
  } finally {
    await rm(folder, { recursive: true })
  }
})
