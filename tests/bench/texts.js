// What the messages say: by conversation and number, so that server, pages and checks need not tell each other.
const words =
  "lorem ipsum dolor sit amet consetetur sadipscing elitr sed diam nonumy eirmod tempor invidunt".split(" ");

/** 30 to 210 characters, a few of them beyond ASCII. */
export function textOf(conversation, seq) {
  let text = `${conversation}/${seq} ·`;
  const length = 30 + ((seq * 37 + conversation * 11) % 180);
  for (let at = seq + conversation; text.length < length; at++) text += ` ${words[at % words.length]}`;
  return text;
}

/** A conversation of a user, by its number. */
export const idOf = (user, conversation) => `${user}.conversation.${String(conversation).padStart(4, "0")}`;
