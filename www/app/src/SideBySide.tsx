/** Two people in one window: two frames, each with its own user, socket and database. */
export function SideBySide({ names }: { names: string }) {
  const given = names.split(",").filter((name) => name.trim() !== "");
  const people = given.length === 2 ? given : ["ana", "ben"];
  return (
    <main className="side-by-side">
      <h1 className="unseen">Two people side by side</h1>
      {people.map((name, index) => (
        <iframe key={name} title={`The chat of ${name}`} src={addressOf(name, people[1 - index] ?? "")} />
      ))}
    </main>
  );
}

function addressOf(name: string, peer: string): string {
  return `/?${new URLSearchParams({ as: name, with: peer })}`;
}
