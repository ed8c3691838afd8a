const of = (displayName, testEnvironment) => ({
  displayName,
  testEnvironment,
  setupFilesAfterEnv: ["chatwire/testing/jest"],
  transformIgnorePatterns: ["/node_modules/(?!chatwire/)"],
});
export default { projects: [of("node", "node"), of("jsdom", "jest-fixed-jsdom")] };
