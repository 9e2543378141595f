import { Suspense } from 'react';

import { lazyPart } from '@/shared/ui/lazyPart';

import type { FacetSelectsProps } from './FacetSelects';

const FacetSelects = lazyPart(() => import('./FacetSelects'), 'FacetSelects');

/** The list is there to be read before it can be narrowed. */
export function Facets(props: FacetSelectsProps) {
  return (
    <Suspense fallback={null}>
      <FacetSelects {...props} />
    </Suspense>
  );
}
