import Bowser from 'bowser';

import type { IconName } from '@/shared/ui/icons';

export interface Device {
  /** "Firefox 145 on Linux", "A program (curl 8.5.0)". */
  words: string;
  icon: IconName;
}

const UNKNOWN: Device = { words: 'An unknown program', icon: 'help' };

/** What a browser or a program calls itself, in words. Anybody can call themselves anything: it is a hint, no proof. */
export function deviceOf(userAgent: string): Device {
  const agent = userAgent.trim();
  if (agent === '') return UNKNOWN;
  const { browser, os, platform } = Bowser.parse(agent);
  if (!browser.name) {
    const product = /^([\w.-]+)(?:\/([\w.-]+))?/.exec(agent);
    if (!product?.[1]) return UNKNOWN;
    return { words: `A program (${[product[1], product[2]].filter(Boolean).join(' ')})`, icon: 'bolt' };
  }
  const name = [browser.name, browser.version?.split('.')[0]].filter(Boolean).join(' ');
  const handheld = platform.type === 'mobile' || platform.type === 'tablet';
  const on = handheld && platform.model ? platform.model : os.name;
  return { words: on ? `${name} on ${on}` : name, icon: handheld ? 'phone' : 'screen' };
}
