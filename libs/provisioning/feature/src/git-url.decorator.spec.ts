import 'reflect-metadata';
import { validateSync } from 'class-validator';
import { IsGitUrl } from './git-url.decorator';

class Body {
  @IsGitUrl()
  url: unknown;
}

function problem(url: unknown): string | undefined {
  const [error] = validateSync(Object.assign(new Body(), { url }));
  return error?.constraints?.['isGitUrl'];
}

describe('IsGitUrl', () => {
  it.each([
    'https://git.example.com/team/project.git',
    'https://git.example.com:8443/~me/project',
    'https://git.example.com/a:b@c/project',
    'ssh://git@git.example.com:2222/team/project.git',
    'git@git.example.com:team/project.git',
    'git.example.com:team/project.git',
    '/srv/git/project.git',
  ])('accepts %s', (url) => {
    expect(problem(url)).toBeUndefined();
  });

  it.each([
    ['a password', 'https://me:Sup3rS3cret@git.example.com/project.git'],
    ['a password without a user', 'https://:Sup3rS3cret@git.example.com/project.git'],
    ['a password by SSH', 'ssh://git:Sup3rS3cret@git.example.com/project.git'],
    ['an encoded password', 'https://me:%53up3rS3cret@git.example.com/project.git'],
    ['a token in the place of the user', 'https://ghp_Sup3rS3cret@github.com/team/project.git'],
    ['a token before an empty password', 'https://ghp_Sup3rS3cret:@github.com/team/project.git'],
    ['a password in a URL with a wrong port', 'https://me:Sup3rS3cret@git.example.com:99999/project.git'],
    ['a password in a URL with a wrong host', 'https://me:Sup3rS3cret@git example.com/project.git'],
    ['a password after white space', ' https://me:Sup3rS3cret@git.example.com/project.git'],
    ['capitals', 'HTTPS://me:Sup3rS3cret@git.example.com/project.git'],
  ])('refuses %s, since the URL is shown', (_what, url) => {
    expect(problem(url)).toMatch(/use gitUsername with gitToken or gitPassword/);
    expect(problem(url)).not.toContain('Sup3rS3cret');
  });

  it('leaves other types to the decorators beside it', () => {
    expect(problem(5)).toBeUndefined();
    expect(problem(null)).toBeUndefined();
  });
});
