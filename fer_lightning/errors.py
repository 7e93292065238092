"""The one exception for mistakes that a user can mend."""


class UserError(Exception):
    """A mistake outside the code: a wrong key, a missing folder, an impossible value.

    The message names the key or path and the remedy. The command line prints it without a
    traceback and exits with status 2; anything else that is raised is a defect of ours.
    """
