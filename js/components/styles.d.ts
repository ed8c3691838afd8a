// TypeScript refuses to import what has no types, a file of styles too. It exports nothing.
export {};
