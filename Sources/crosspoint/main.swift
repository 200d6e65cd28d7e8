// The program 'crosspoint'. All of it is in CrosspointCommands.

import CrosspointCommands

await CrosspointProgram.main()
