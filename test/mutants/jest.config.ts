import common from '../../jest.config.ts'

/** In a copy of the project: its cache goes away with it, and a stall is seen soon. */
export default {
  ...common,
  rootDir: '../..',
  cacheDirectory: '<rootDir>/.jest-cache',
  testTimeout: 20_000,
}
