import type { ReactNode } from "react";
import { useStrings } from "./provider.js";

/** The first letter of a name, in a colour of its own. */
export function Avatar({ name, isOnline }: { name: string; isOnline: boolean }): ReactNode {
  const strings = useStrings();
  const hue = [...name].reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) % 360, 7);
  return (
    // Set by script: a policy may forbid the attribute that a server would write.
    <span className="chatwire-avatar" ref={(span) => span?.style.setProperty("--chatwire-hue", `${hue}`)}>
      <span aria-hidden="true">{[...name.trim()][0]?.toUpperCase() ?? "?"}</span>
      {isOnline && (
        <span className="chatwire-online" title={strings.online}>
          <span className="chatwire-unseen">{strings.online}</span>
        </span>
      )}
    </span>
  );
}
