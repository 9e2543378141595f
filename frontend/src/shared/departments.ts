import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';

import { configQuery } from '@/shared/api/queries';
import { humanise } from '@/shared/format/format';

/** Departments are the server's business: the page knows slugs and labels, never what one is. */
export function useDepartmentLabel(): (slug: string) => string {
  const { data } = useQuery(configQuery);
  return useMemo(() => {
    const labels = new Map(data?.departments.map(({ slug, label }) => [slug, label]));
    return (slug: string) => labels.get(slug) ?? humanise(slug);
  }, [data]);
}
