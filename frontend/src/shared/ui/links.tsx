import { Anchor, Button, type AnchorProps, type ButtonProps } from '@mantine/core';
import { createLink } from '@tanstack/react-router';
import type { AnchorHTMLAttributes, Ref } from 'react';

type Html<Props> = Omit<AnchorHTMLAttributes<HTMLAnchorElement>, keyof Props> & {
  ref?: Ref<HTMLAnchorElement>;
};

/** Links of the router in the look of the theme; `to`, `params` and `search` are checked against the routes. */
export const TextLink = createLink(({ ...props }: AnchorProps & Html<AnchorProps>) => <Anchor {...props} />);

export const ButtonLink = createLink(({ ...props }: ButtonProps & Html<ButtonProps>) => (
  <Button component="a" {...props} />
));
