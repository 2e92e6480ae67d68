/** The order in which servers are dialled: any, so that clients spread over them. */

/** The same servers in any order. */
export function shuffled(servers: readonly string[]): readonly string[] {
  return servers
    .map(server => ({ server, place: Math.random() }))
    .sort((left, right) => left.place - right.place)
    .map(({ server }) => server);
}
