import common from '../../jest.config.ts'

/** What a real browser shows of pages and emails, and what Caddy lets through. Apart, as it needs both and takes a minute. */
export default {
  ...common,
  rootDir: '../..',
  roots: ['<rootDir>/test/browser', '<rootDir>/test/deploy'],
  testPathIgnorePatterns: [],
  maxWorkers: '100%',
}
