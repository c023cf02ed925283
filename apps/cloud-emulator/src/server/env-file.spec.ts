import { readEnvFile, readRawEnvFile } from './env-file';
import { RefusedError } from './refused.error';

describe('readEnvFile', () => {
  const read = (text: string, outer: Record<string, string> = {}) => readEnvFile(text, outer);

  it('reads names and values, and skips comments and empty lines', () => {
    expect(read('# comment\n\nA=1\n  B = two words \nexport C=3\n\t# more\nD=4')).toEqual({
      A: '1',
      B: 'two words',
      C: '3',
      D: '4',
    });
  });

  it('reads an empty value as empty, and not as the next line', () => {
    expect(read('A=\nB=2\nC= \nD=4\n')).toEqual({ A: '', B: '2', C: '', D: '4' });
  });

  it('takes a name alone from outside, where it is set', () => {
    expect(read('A\nB\nC=3', { A: 'outer' })).toEqual({ A: 'outer', C: '3' });
  });

  it.each([
    ['A=one # comment', 'one'],
    ['A=one#two', 'one#two'],
    ['A=#one', '#one'],
    ["A='one' # comment", 'one'],
    ['A="one # two"', 'one # two'],
  ])('knows a comment from a value: %j', (text, expected) => expect(read(text)).toEqual({ A: expected }));

  it('takes single quotes literally, over lines', () => {
    expect(read('A=\'$B ${C} \\n "x"\nline 2 # x\'\nD=4', { B: 'b' })).toEqual({
      A: '$B ${C} \\n "x"\nline 2 # x',
      D: '4',
    });
  });

  it('lets a backslash keep a single quote from closing', () => {
    expect(read("A='it\\'s'")).toEqual({ A: "it's" });
  });

  it('reads escapes and variables in double quotes, over lines', () => {
    expect(read('A="1\\n2\\t3 \\"q\\" \\\\ \\$B $B\nline 2"\nC=3', { B: 'b' })).toEqual({
      A: '1\n2\t3 "q" \\ $B b\nline 2',
      C: '3',
    });
  });

  it('replaces variables: those from outside win over earlier ones, as in dotenv of compose-go', () => {
    expect(read('A=1\nB=$A-$X-${Y:-z}\nC="${B}"', { A: 'outer', X: 'x' })).toEqual({
      A: '1',
      B: 'outer-x-z',
      C: 'outer-x-z',
    });
  });

  it('makes one dollar of two', () => expect(read('A=a$$b')).toEqual({ A: 'a$b' }));

  it.each([
    ['A="open', 'not closed'],
    ["A='open\nB=2", 'not closed'],
    ["A='it's'", 'not NAME=VALUE'],
    ['not a variable', 'not NAME=VALUE'],
    ['=x', 'not NAME=VALUE'],
    ['A=${', 'invalid interpolation'],
  ])('refuses %j', (text, message) => {
    expect(() => read(text)).toThrow(RefusedError);
    expect(() => read(text)).toThrow(message);
  });
});

describe('readRawEnvFile', () => {
  it('takes everything after the first equals sign', () => {
    const text = '# comment\nA=\'$B\' "x" # y\nB=a=b\n\nC=\nALONE\nD= 4 ';
    expect(readRawEnvFile(text)).toEqual({ A: '\'$B\' "x" # y', B: 'a=b', C: '', D: ' 4 ' });
  });
});
