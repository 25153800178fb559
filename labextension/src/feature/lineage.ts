/** What a feature is made from, and what is made of it, as a graph. */
import type { FeatureDetail, LineageView, NodeView } from '../api/types';

/** The key of the feature's own node. */
export function ownKey(name: string): string {
  return `feature:${name}`;
}

export function lineageOf(detail: FeatureDetail): LineageView {
  const own = ownKey(detail.feature.name);
  const nodes = new Map<string, NodeView>();
  const edges: (readonly [string, string])[] = [...detail.edges];
  const add = (
    kind: string,
    name: string,
    about: string | null = null
  ): string => {
    const id = `${kind}:${name}`;
    nodes.set(id, { id, kind, name, about });
    return id;
  };
  detail.sources.forEach(source => add('source', source.name));
  detail.upstream.forEach(name => add('feature', name));
  add('feature', detail.feature.name, detail.feature.type);
  detail.downstream.forEach(name => add('feature', name));
  const versions = (detail.models ?? []).map(({ name, version, aliases }) => {
    const about = aliases.map(alias => `@${alias}`).join(' ') || null;
    const id = add('version', `${name}/${version}`, about);
    edges.push([own, id]);
    return { id, name };
  });
  detail.endpoints.forEach(name => {
    const id = add('endpoint', name);
    const served = versions.filter(version => version.name === name);
    (served.length > 0 ? served.map(each => each.id) : [own]).forEach(from =>
      edges.push([from, id])
    );
  });
  return { nodes: [...nodes.values()], edges };
}
