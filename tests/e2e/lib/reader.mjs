// Somebody who reads a guide and writes what it says: a page with the facades of `chatwire/compat`.

/** A page of somebody who has logged in: `{page, userId, token}`, and `run(code, argument)` in it with the facades at hand. `beside`: in a tab beside that reader's. */
export async function reader(stage, name, beside) {
  const { token, user } = await stage.server.login(name);
  const page = await stage.blank(undefined, beside?.page.context());
  await page.evaluate(async () => {
    globalThis.guide = await import("/chatwire/dist/compat/index.js");
    globalThis.told = [];
  });
  return {
    userId: user.id,
    number: user.number,
    token,
    page,
    run: (code, argument) => page.evaluate(code, argument),
    /** Waits until something that `isTrue` of is told. */
    told: async (name) => {
      await page.waitForFunction((name) => globalThis.told.some(([told]) => told === name), name);
      return page.evaluate((name) => globalThis.told.find(([told]) => told === name)[1], name);
    },
  };
}
