"""Agents: who answers, and in which role."""

from enum import StrEnum

from msgspec import Struct


class Role(StrEnum):
    """What an agent is at this desk; the product's card says what each may do."""

    SUPPORT = "support"
    ACCOUNT_MANAGER = "account-manager"
    PRODUCT_ADMINISTRATOR = "product-administrator"
    LEAD = "lead"
    TRAINER = "trainer"
    AUDITOR = "auditor"

    @property
    def words(self) -> str:
        """The role in words: `account manager`."""
        return "support agent" if self is Role.SUPPORT else self.value.replace("-", " ")


class Agent(Struct, frozen=True, kw_only=True):
    """Who sits at the desk.

    Attributes:
        login: The agent's own login; an agent never acts on the user who has the same one.
        account: For a product administrator the one account they administer; None where the role
            is taken
            without a person (`--as product-administrator`), which then stands for the account of
            each user.
    """

    id: str
    name: str
    role: Role
    login: str = ""
    account: str | None = None
