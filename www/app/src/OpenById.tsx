import { type FormEvent, useState } from "react";
import type { Backend } from "./backends.js";

type Props = { backend: Backend; onOpen: (id: string) => void };

/** Where a conversation begins with what is sent to its id. */
export function OpenById({ backend: { idLabel, idPrefix, idExample }, onOpen }: Props) {
  const [id, setId] = useState("");
  const wanted = id.trim().replace(/^#/, "");

  function submit(event: FormEvent) {
    event.preventDefault();
    if (wanted === "") return;
    setId("");
    onOpen(wanted);
  }

  return (
    <form className="new" onSubmit={submit}>
      <div className="row">
        <label className="grow">
          <span className="unseen">{idLabel}</span>
          <input
            data-testid="open-id"
            placeholder={`Such as ${idPrefix}${idExample}`}
            value={id}
            onChange={(event) => setId(event.target.value)}
            maxLength={64}
            required
          />
        </label>
        <button type="submit" className="primary" data-testid="open-submit" disabled={wanted === ""}>
          Open
        </button>
      </div>
    </form>
  );
}
