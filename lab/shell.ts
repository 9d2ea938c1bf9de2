// How the lab runs the host's commands.
import { $ } from 'zx/core';

/**
 * PATH: `ip` and its like are in sbin, which a plain `su` leaves out.
 * SHLVL: bash takes a socket on stdin, which is what node gives it, for a remote login and
 * reads the user's .bashrc, unless it runs inside another shell.
 */
export const host = $({ quiet: true, env: { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin:/sbin`, SHLVL: '1' } });
